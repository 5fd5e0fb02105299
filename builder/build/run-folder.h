/* SPDX-License-Identifier: Apache-2.0 */
/* Where lies what lasts until the machine stops: states of containers, networks. */
#ifndef BUILDER_BUILD_RUN_FOLDER_H
#define BUILDER_BUILD_RUN_FOLDER_H

/** /run/orlop-builder/NAME; without privilege $XDG_RUNTIME_DIR/orlop-builder/NAME. Not made; owned.
 */
char *run_folder(const char *name);

#endif
