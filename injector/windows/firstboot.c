#include "windows/firstboot.h"

#include <sodium.h>
#include <string.h>

#define CODE_MARK "odjstick: djoin exit code "

enum { OWN_PROCESS = 0x10, AUTO_START = 2, IGNORE_ERRORS = 0 };

/* cmd.exe is no service: it leaves at once, so that nothing waits for it, and the script goes on.
 */
#define IMAGE                                                                                      \
	"%SystemRoot%\\System32\\cmd.exe /d /c start \"\" /b %SystemRoot%\\System32\\cmd.exe /d "  \
	"/c %SystemRoot%\\Setup\\odjstick\\join.cmd"

/* Every line works without the one before it: what fails must not keep the rest from cleaning up.
 * The last line is read as a whole before it deletes the file it stands in. */
static const char script[] =
	"@echo off\r\n"
	"rem odjstick: join a domain with djoin, once, then clean up.\r\n"
	"setlocal\r\n"
	"set \"here=%SystemRoot%\\Setup\\odjstick\"\r\n"
	"set \"sys=%SystemRoot%\\System32\"\r\n"
	"set \"key=HKLM\\SYSTEM\\CurrentControlSet\\Services\\odjstick-join\"\r\n"
	"set \"log=%SystemRoot%\\debug\\odjstick-join.log\"\r\n"
	"set \"code=not run\"\r\n"
	"set \"again=\"\r\n"
	"if not exist \"%SystemRoot%\\debug\\\" md \"%SystemRoot%\\debug\"\r\n"
	"echo odjstick: domain join at first start >>\"%log%\"\r\n"
	"if not exist \"%log%\" set \"log=nul\"\r\n"
	"\r\n"
	"rem A second start means that the first was cut off: clean up only.\r\n"
	"if exist \"%here%\\started\" goto clean\r\n"
	"echo once >\"%here%\\started\"\r\n"
	"if not exist \"%here%\\started\" goto clean\r\n"
	"\"%sys%\\djoin.exe\" /requestODJ /loadfile \"%here%\\blob.txt\" "
	"/windowspath \"%SystemRoot%\" /localos >>\"%log%\" 2>&1\r\n"
	"set \"code=%errorlevel%\"\r\n"
	"if \"%code%\"==\"0\" set \"again=yes\"\r\n"
	"if \"%code%\"==\"2713\" set \"again=yes\"\r\n"
	"\r\n"
	":clean\r\n"
	"del /f /q \"%here%\\blob.txt\"\r\n"
	"\"%sys%\\reg.exe\" delete \"%key%\" /f >nul 2>&1\r\n"
	"\"%sys%\\reg.exe\" query \"%key%\" >nul 2>&1\r\n"
	"if not errorlevel 1 set \"again=\"\r\n"
	"echo " CODE_MARK "%code% >>\"%log%\"\r\n"
	"cd /d \"%SystemRoot%\"\r\n"
	"if defined again (rd /s /q \"%here%\" & \"%sys%\\shutdown.exe\" /r /t 0) "
	"else rd /s /q \"%here%\"\r\n";

struct span firstboot_script(void)
{
	return (struct span){(const uint8_t *)script, sizeof script - 1};
}

int firstboot_edits(const struct windows_facts *f, struct reg_edits *edits, struct err *e)
{
	uint32_t sets[2];
	int count = edit_control_sets(f, sets, e);
	if (count < 0)
		return count;
	struct edit_maker m;
	edit_begin(&m, edits, e);
	for (int i = 0; i < count; i++) {
		m.set = sets[i];
		edit_dword(&m, FIRSTBOOT_SERVICE, "Type", OWN_PROCESS);
		edit_dword(&m, FIRSTBOOT_SERVICE, "Start", AUTO_START);
		edit_dword(&m, FIRSTBOOT_SERVICE, "ErrorControl", IGNORE_ERRORS);
		edit_text(&m, FIRSTBOOT_SERVICE, "ImagePath", REG_EXPAND_SZ, IMAGE);
		edit_text(&m, FIRSTBOOT_SERVICE, "DisplayName", REG_SZ, "odjstick domain join");
		edit_text(&m, FIRSTBOOT_SERVICE, "ObjectName", REG_SZ, "LocalSystem");
	}
	return edit_end(&m);
}

int firstboot_blob(const struct secret *raw, struct secret *out, struct err *e)
{
	size_t n = sodium_base64_encoded_len(raw->len, sodium_base64_VARIANT_ORIGINAL);
	struct secret text = SECRET_INIT;
	int ret = secret_alloc(&text, n, e); /* with its NUL */
	if (ret == 0)
		ret = secret_alloc(out, 2 + 2 * n, e);
	if (ret == 0) {
		sodium_bin2base64(
			(char *)text.p, n, raw->p, raw->len, sodium_base64_VARIANT_ORIGINAL);
		put_le16(out->p, 0xfeff);
		for (size_t i = 0; i < n; i++)
			put_le16(out->p + 2 + 2 * i, text.p[i]);
	}
	secret_clear(&text);
	return ret;
}

/* djoin's own words between ours are in the code page of that Windows: only our line is taken. */
void firstboot_code(struct span log, char out[FIRSTBOOT_CODE_MAX])
{
	static const char mark[] = CODE_MARK;
	const size_t skip = sizeof mark - 1;
	out[0] = '\0';
	for (size_t at = 0; at + skip <= log.len; at++) {
		size_t len = 0;
		if (memcmp(log.p + at, mark, skip) != 0)
			continue;
		for (at += skip; at < log.len && log.p[at] >= ' ' && log.p[at] <= '~'; at++)
			if (len < FIRSTBOOT_CODE_MAX - 1)
				out[len++] = (char)log.p[at];
		while (len && out[len - 1] == ' ')
			len--;
		out[len] = '\0';
	}
}
