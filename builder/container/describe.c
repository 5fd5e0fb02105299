/* SPDX-License-Identifier: Apache-2.0 */
/* What a container was made of, in the words of docker's inspect: written once, shown as it is. */
#include "builder/container/describe.h"

#include <stdlib.h>
#include <string.h>

#include "builder/build/run-spec.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

void describe_strings(struct json_writer *writer, const char *key, char *const *items, size_t count)
{
	json_key(writer, key);
	json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		json_string(writer, items[i]);
	json_end_array(writer);
}

static void write_set(struct json_writer *writer, const char *key, const struct json_strings *set)
{
	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < set->count; i++) {
		json_key(writer, set->items[i]);
		json_begin_object(writer);
		json_end_object(writer);
	}
	json_end_object(writer);
}

static void write_config(const struct container_options *options, const struct run_spec *spec,
			 const struct image *image, const struct container_record *record,
			 struct json_writer *writer)
{
	static const struct image_defaults none;
	const struct image_defaults *config = image->config->config ? image->config->config : &none;
	const char *user = options->user ? options->user : config->user;
	size_t env = 0;

	while (spec->env[env])
		env++;
	json_begin_object(writer);
	json_put_text(writer, "Hostname", record->hostname);
	json_put_text(writer, "User", user);
	json_put_bool(writer, "Tty", record->terminal);
	json_put_bool(writer, "OpenStdin", record->interactive);
	write_set(writer, "ExposedPorts", &record->exposed);
	describe_strings(writer, "Env", spec->env, env);
	if (*options->args)
		describe_strings(writer, "Cmd", (char *const *)options->args,
				 record->args.count - (options->entrypoint
							       ? *options->entrypoint != '\0'
							       : config->entrypoint.count));
	else
		describe_strings(writer, "Cmd", config->cmd.items,
				 options->entrypoint ? 0 : config->cmd.count);
	json_put_text(writer, "Image", record->image);
	write_set(writer, "Volumes", &config->volumes);
	json_put_text(writer, "WorkingDir", spec->cwd);
	if (options->entrypoint)
		describe_strings(writer, "Entrypoint", (char *const *)&options->entrypoint,
				 *options->entrypoint != '\0');
	else
		describe_strings(writer, "Entrypoint", config->entrypoint.items,
				 config->entrypoint.count);
	json_key(writer, "Labels");
	json_begin_object(writer);
	for (size_t i = 0; i < record->labels.count; i++)
		json_put_text(writer, record->labels.items[i].key, record->labels.items[i].value);
	json_end_object(writer);
	json_put_text(writer, "StopSignal", record->stop_signal);
	json_put_i64(writer, "StopTimeout", record->stop_timeout);
	json_end_object(writer);
}

static void write_binding(const struct container_port *port, bool published,
			  struct json_writer *writer)
{
	const char *address = port->host_address;
	char number[8];

	if (published && !*address)
		address = "0.0.0.0";
	(void)snprintf(number, sizeof(number), "%u",
		       port->host || !published ? port->host : port->chosen);
	json_begin_object(writer);
	json_put_text(writer, "HostIp", address);
	json_put_text(writer, "HostPort", number);
	json_end_object(writer);
}

static bool is_same_port(const struct container_port *a, const struct container_port *b)
{
	return a->container == b->container && strcmp(a->protocol, b->protocol) == 0;
}

void container_write_ports(const struct container_record *record, const char *key, bool published,
			   struct json_writer *writer)
{
	const struct container_port *ports = record->ports.items;

	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < record->ports.count; i++) {
		char text[32];
		size_t first = 0;

		while (!is_same_port(&ports[first], &ports[i]))
			first++;
		if (first < i)
			continue; /* it stands there */
		(void)snprintf(text, sizeof(text), "%u/%s", ports[i].container, ports[i].protocol);
		json_key(writer, text);
		json_begin_array(writer);
		for (size_t j = i; j < record->ports.count; j++)
			if (is_same_port(&ports[i], &ports[j]))
				write_binding(&ports[j], published, writer);
		json_end_array(writer);
	}
	json_end_object(writer);
}

void container_describe(const struct container_options *options, const struct run_spec *spec,
			const struct image *image, struct container_record *record)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT, host_config = STRBUF_INIT;
	struct json_writer writer = { .out = &config }, host_writer = { .out = &host_config };

	write_config(options, spec, image, record, &writer);
	describe_host_config(options, record, &host_writer);
	record->config = arena_strdup(&record->arena, config.data);
	record->host_config = arena_strdup(&record->arena, host_config.data);
}
