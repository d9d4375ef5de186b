/* template_build.h: builds a template of the SDK as a stranger would, away from the tree. */
#ifndef TESTS_TEMPLATE_BUILD_H
#define TESTS_TEMPLATE_BUILD_H

/* Compiles sdk/template/FOLDER/FOLDER.c by the command of its README with `flags` added, into a new
 * folder; writes the path of ID.so to `path`. Fails the test with gcc's words if it says any. */
void template_build(const char *folder, const char *id, const char *flags, char path[512]);

/* Removes what template_build made. */
void template_remove(const char *path);

/* Lines of FOLDER.c that are neither blank nor comment. */
int template_code_lines(const char *folder);

#endif
