/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload: what the benched containers run. As "true" it ends at once; under the name "pause" it
 * stays until it is killed, so that exec, state and list have a running container.
 * Linked statically, so that a root file system needs nothing else.
 */
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;

	if (name && strcmp(name, "/pause") == 0)
		pause();
	return 0;
}
