/* SPDX-License-Identifier: Apache-2.0 */
/* --format: what templates make of a value, and that what they do not know is named. */
#include "builder/cli/go-template.h"
#include "lib/cleanup.h"
#include "tests/unit/check.h"

#define VALUE                                                                                      \
	"{\"Name\":\"web\",\"Size\":7,\"On\":true,\"Off\":false,\"None\":null,\"Empty\":\"\","     \
	"\"Text\":\"a \\\"b\\\" \\u00e9\\n\",\"Tags\":[\"x\",\"y\"],"                              \
	"\"State\":{\"Pid\":12,\"Net\":{\"a b\":{\"IP\":\"10.0.0.2\"}}},"                          \
	"\"Mounts\":[{\"To\":\"/a\"},{\"To\":\"/b\"}],\"No\":[],\"Odd\":\"{},]\","                 \
	"\"Config\":{\"Labels\":{\"a\":\"1\"},\"Volumes\":null}}"

struct example {
	const char *template, *expected;
};

static void check_all(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		struct error err = ERROR_INIT;

		CHECK_INT(go_template_run(examples[i].template, VALUE, NULL, &out, &err), 0);
		CHECK_STR(err.msg, "");
		CHECK_STR(strbuf_text(&out), examples[i].expected);
	}
}

static void test_paths(void)
{
	static const struct example examples[] = {
		{ "", "" },
		{ "only text", "only text" },
		{ "{{.Name}}", "web" },
		{ "<{{ .State.Pid }}>", "<12>" },
		{ "{{.On}} {{.Off}} {{.Size}}", "true false 7" },
		{ "{{.Text}}", "a \"b\" \xc3\xa9\n" },
		{ "{{.Odd}}", "{},]" },
		{ "{{index .State.Net \"a b\"}}", "{\"IP\":\"10.0.0.2\"}" },
		{ "{{(index .State.Net \"a b\").IP}}", "10.0.0.2" },
		{ "{{index .Tags 1}}", "y" },
		{ "{{index .State.Net `a b` \"IP\"}}", "10.0.0.2" },
		{ "[{{index .State.Net \"none\"}}]", "[]" },
		{ "{{$.Name}}", "web" },
		{ "{{/* nothing */}}x", "x" },
		/* maps of docker's, as Go has it: what is not in one has no value */
		{ "{{.Config.Labels.a}}", "1" },
		{ "{{.Config.Labels.b}} {{.Config.Volumes.x}}", "<no value> <no value>" },
		{ "{{.Config.Labels.b.c.d}} {{json .Config.Labels.b}}", "<no value> null" },
		{ "{{if .Config.Labels.b}}x{{else}}y{{end}}", "y" },
		{ "a {{- .Name -}} \n b", "awebb" },
	};

	check_all(examples, ARRAY_SIZE(examples));
}

static void test_functions(void)
{
	static const struct example examples[] = {
		{ "{{json .Tags}}", "[\"x\",\"y\"]" },
		{ "{{json .Name}}", "\"web\"" },
		{ "{{json .None}}", "null" },
		{ "{{.State | json}}", "{\"Pid\":12,\"Net\":{\"a b\":{\"IP\":\"10.0.0.2\"}}}" },
		{ "{{upper .Name}} {{lower \"ABC\"}}", "WEB abc" },
		{ "{{.Name | upper | printf \"%s!\"}}", "WEB!" },
		{ "{{len .Tags}} {{len .Name}} {{len .State}} {{len .No}}", "2 3 2 0" },
		{ "{{printf \"%s=%d %v %q 100%%\" .Name .Size .On .Name}}",
		  "web=7 true \"web\" 100%" },
		{ "{{printf \"[%6s|%-6s|%.2s|%03d]\" .Name .Name .Name .Size}}",
		  "[   web|web   |we|007]" },
		{ "{{printf \"%.3s|%4s\" \"a\xc3\xa9\xc3\xa9x\" \"\xc3\xa9\"}}",
		  "a\xc3\xa9\xc3\xa9|   \xc3\xa9" },
		{ "{{\"text\"}} {{42}} {{true}}", "text 42 true" },
	};

	check_all(examples, ARRAY_SIZE(examples));
}

static void test_conditions(void)
{
	static const struct example examples[] = {
		{ "{{if .On}}y{{else}}n{{end}}", "y" },
		{ "{{if .Off}}y{{else}}n{{end}}", "n" },
		{ "{{if .None}}y{{end}}", "" },
		{ "{{if .Empty}}y{{else if .Name}}{{.Name}}{{else}}n{{end}}", "web" },
		{ "{{if .NotThere}}y{{else}}n{{end}}", "n" },
		{ "{{if .No}}y{{else}}n{{end}}", "n" },
		{ "{{if .On}}{{if .Off}}a{{else}}b{{end}}{{else}}c{{end}}", "b" },
	};

	check_all(examples, ARRAY_SIZE(examples));
}

static void test_loops(void)
{
	static const struct example examples[] = {
		{ "{{range .Tags}}[{{.}}]{{end}}", "[x][y]" },
		{ "{{range .Mounts}}{{.To}} {{$.Name}};{{end}}", "/a web;/b web;" },
		{ "{{range $i, $t := .Tags}}{{$i}}={{$t}} {{end}}", "0=x 1=y " },
		{ "{{range $k, $v := .State.Net}}{{$k}}:{{$v.IP}}{{end}}", "a b:10.0.0.2" },
		{ "{{range $m := .Mounts}}{{$m.To}}{{end}}", "/a/b" },
		{ "{{range .No}}x{{else}}none{{end}}", "none" },
		{ "{{range .Mounts}}{{range $.Tags}}{{.}}{{end}}-{{end}}", "xy-xy-" },
	};

	check_all(examples, ARRAY_SIZE(examples));
}

/* Documents leave out what is empty, and are written with blanks. */
static void test_zeros(void)
{
	static const char document[] = "{ \"Config\": { \"Tty\": false\n }, \"N\": 0\n}";
	static const struct go_zero zeros[] = { { ".Config.User", "\"\"" },
						{ ".Config.Labels", "null" },
						{ NULL, NULL } };
	static const struct example examples[] = {
		{ "<{{.Config.User}}{{$.Config.User}}>", "<>" },
		{ "{{json .Config.Labels}} {{len .Config.Labels}}", "null 0" },
		{ "<{{index .Config.Labels \"a\"}}>", "<>" },
		{ "{{range .Config.Labels}}x{{else}}none{{end}}", "none" },
		{ "{{if .Config.Tty}}y{{else}}n{{end}}{{if .N}}y{{end}}", "n" },
		{ "<{{.Config.Tty}} {{.N}}>", "<false 0>" },
	};
	struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf refused = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		CHECK_INT(go_template_run(examples[i].template, document, zeros, &out, &err), 0);
		CHECK_STR(strbuf_text(&out), examples[i].expected);
	}
	/* the path counts, not the name */
	CHECK(go_template_run("{{.User}}{{.Nothing.Labels}}", document, zeros, &refused, &err) < 0);
	CHECK(go_template_run("{{.Config.Userx}}", document, zeros, &refused, &err) < 0);
	CHECK(go_template_run("{{range .}}{{.Config.User}}{{end}}", document, zeros, &refused,
			      &err) < 0);
}

static void test_refusals(void)
{
	static const struct {
		const char *template, *part;
	} cases[] = {
		{ "{{len .Nmae}}", "there is no \".Nmae\"" },
		{ "{{json .State.Nothing}}", "there is no \".State.Nothing\"" },
		{ "{{upper .Nmae}}", "there is no" },
		{ "{{printf \"%s\" .Nmae}}", "there is no" },
		{ "{{index .Tags .Nmae}}", "there is no" },
		{ "{{.Nmae | json}}", "there is no \".Nmae\"" },
		{ "{{.Nmae | len}}", "there is no" },
		{ "{{.Nmae}}", "there is no \".Nmae\"" },
		{ "{{.State.Nothing}}", ".State.Nothing" },
		{ "{{join .Tags \",\"}}", "no such function: \"join\"" },
		{ "{{trueish .Name}}", "no such function: \"trueish\"" },
		{ "{{with .State}}x{{end}}", "\"with\"" },
		{ "{{template \"x\"}}", "\"template\"" },
		{ "{{.Name", "unfinished" },
		{ "{{if .On}}x", "an end is missing" },
		{ "{{range .Tags}}x", "an end is missing" },
		{ "{{printf \"%x\" .Size}}", "printf knows" },
		{ "{{printf \"%d\" .Name}}", "%d is for numbers, not \"web\"" },
		{ "{{printf \"%s\"}}", "printf has no value for \"%s\"" },
		{ "{{printf \"x\" .Name}}", "printf has no place for \"web\"" },
		{ "{{printf \"%5\" .Name}}", "unfinished" },
		{ "{{index .Tags 5}}", "index out of range: \"5\"" },
		{ "{{index .Tags \"x\"}}", "not an index" },
		{ "{{len .Size}}", "len is for" },
		{ "{{len}}", "a value is missing after \"len\"" },
		{ "{{$x}}", "undefined variable \"$x\"" },
		{ "{{.Name .Size}}", "not understood" },
		{ "{{.Name | .Size}}", "not a function" },
		{ "{{\"open}}", "unfinished text" },
		{ "{{((((((((((((((((((((((((((((((((((.Name))))))))))))))))))))))))))))))))))}}",
		  "nested too deep" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		struct error err = ERROR_INIT;

		CHECK(go_template_run(cases[i].template, VALUE, NULL, &out, &err) < 0);
		CHECK_INT(err.code, ERROR_USAGE);
		if (!strstr(err.msg, cases[i].part))
			CHECK_STR(err.msg, cases[i].part);
	}
}

static void test_escapes(void)
{
	cleanup_free char *text = go_template_unescape("a\\tb\\n{{printf \"\\t%s\" .X}}\\x");

	CHECK_STR(text, "a\tb\n{{printf \"\\t%s\" .X}}\\x");
}

CHECK_MAIN({ "paths, indexes and blanks", test_paths }, { "functions", test_functions },
	   { "conditions", test_conditions }, { "loops", test_loops },
	   { "what documents leave out, and their blanks", test_zeros },
	   { "what is not known is named", test_refusals },
	   { "escapes outside of the braces", test_escapes })
