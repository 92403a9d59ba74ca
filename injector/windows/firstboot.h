/*
 * The first-boot method: Windows' own djoin takes the blob at the next start.
 *
 * Two files in Windows\Setup\odjstick, the blob as `djoin /savefile` writes it
 * and a script, and a service that starts the script as LocalSystem. The script
 * runs djoin once, deletes blob, service and itself whether that succeeded or
 * not, leaves djoin's exit code in Windows\debug\odjstick-join.log, and starts
 * the PC again only when djoin succeeded and the service is gone.
 *
 * Why a service, and what is known of it: docs/adr/0033, docs/windows.md.
 * Pure: nothing is read or written here.
 */
#ifndef WINDOWS_FIRSTBOOT_H
#define WINDOWS_FIRSTBOOT_H

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "windows/edits.h"
#include "windows/facts.h"

#define FIRSTBOOT_SERVICE "Services\\odjstick-join" /* in a control set */

#define FIRSTBOOT_FOLDER "Setup/odjstick" /* below the folder of Windows */
#define FIRSTBOOT_BLOB FIRSTBOOT_FOLDER "/blob.txt"
#define FIRSTBOOT_SCRIPT FIRSTBOOT_FOLDER "/join.cmd"

/* The service, in every control set that may be started. edits must be empty. */
int firstboot_edits(const struct windows_facts *f, struct reg_edits *edits, struct err *e);

/* ASCII with CR LF. */
struct span firstboot_script(void);

/* From the raw blob: UTF-16LE with its mark, base64, one NUL. */
int firstboot_blob(const struct secret *raw, struct secret *out, struct err *e);

/* What the log says last about djoin's exit code: its text, "not run", or "" when nothing. */
#define FIRSTBOOT_LOG "debug/odjstick-join.log" /* below the folder of Windows */
#define FIRSTBOOT_CODE_MAX 16
void firstboot_code(struct span log, char out[FIRSTBOOT_CODE_MAX]);

#endif
