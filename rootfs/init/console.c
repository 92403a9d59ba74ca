#include "rootfs/init/console.h"

#include <fcntl.h>
#include <linux/kd.h>
#include <linux/keyboard.h>
#include <linux/serial.h>
#include <linux/vt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/reader.h"
#include "rootfs/init/psf.h"
#include "rootfs/init/sysfile.h"

#define SCREEN "/dev/tty1"
#define SCREEN_SIZE "/sys/class/graphics/fb0/virtual_size"
#define FILE_BYTES (1 << 20)
#define PATH_BYTES 128
#define LINE_BYTES 160

/* Fonts higher than 32 rows; since Linux 6.2, not in every <linux/kd.h>. */
#define FONT_SET_TALL 4
#define FONT_PITCH 32

#define KEYMAP_MAGIC "bkeymap"
#define KEYMAP_KEYS 128

/* --- the terminal -------------------------------------------------------------------------------
 */

static speed_t speed_of(unsigned baud)
{
	static const struct {
		unsigned baud;
		speed_t speed;
	} table[] = {{9600, B9600}, {19200, B19200}, {38400, B38400}, {57600, B57600},
		{115200, B115200}};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].baud == baud)
			return table[i].speed;
	return B0;
}

/* A port that is named but not built in is no terminal. */
static int open_port(const char *port)
{
	char path[PATH_BYTES];
	struct serial_struct what = {0};
	snprintf(path, sizeof path, "/dev/%s", port);
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (ioctl(fd, TIOCGSERIAL, &what) < 0 || what.type == PORT_UNKNOWN)) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_RDWR);
	return fd;
}

static void set_port(int fd, const struct words *w)
{
	struct winsize size = {.ws_col = w->cols, .ws_row = w->rows};
	struct termios t;
	(void)ioctl(fd, TIOCSWINSZ, &size);
	if (speed_of(w->speed) == B0 || tcgetattr(fd, &t) < 0)
		return;
	(void)cfsetispeed(&t, speed_of(w->speed));
	(void)cfsetospeed(&t, speed_of(w->speed));
	(void)tcsetattr(fd, TCSANOW, &t);
}

void console_open(struct console *c, const struct words *w)
{
	int screen = open(SCREEN, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (screen >= 0)
		(void)ioctl(screen, VT_LOCKSWITCH, 1);
	*c = (struct console){.fd = screen, .term = "linux"};
	int port = w->port[0] ? open_port(w->port) : -1;
	if (port >= 0) {
		char where[LINE_BYTES];
		snprintf(where, sizeof where, "odjstick works on the serial port %s.", w->port);
		console_say(c, where, NULL);
		*c = (struct console){.fd = port, .serial = true};
		snprintf(c->term, sizeof c->term, "%s", w->term);
		set_port(port, w);
		if (screen >= 0)
			close(screen);
	}
	console_reset(c);
}

void console_reset(const struct console *c)
{
	struct termios t;
	if (tcgetattr(c->fd, &t) < 0)
		return;
	t.c_iflag = IGNBRK | ICRNL | IUTF8;
	t.c_oflag = OPOST | ONLCR;
	t.c_cflag =
		(t.c_cflag & ~(tcflag_t)(CSIZE | PARENB | CSTOPB | CRTSCTS)) | CS8 | CREAD | CLOCAL;
	t.c_lflag = ICANON | ECHO | ECHOE | ECHOK | IEXTEN;
	memset(t.c_cc, _POSIX_VDISABLE, sizeof t.c_cc);
	t.c_cc[VEOF] = 4;
	t.c_cc[VERASE] = 0x7f;
	t.c_cc[VKILL] = 21;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	(void)tcsetattr(c->fd, TCSANOW, &t);
}

static void put(const struct console *c, const char *text)
{
	size_t n = strlen(text);
	while (n > 0) {
		ssize_t done = write(c->fd, text, n);
		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

void console_say(const struct console *c, ...)
{
	va_list ap;
	put(c, "\033[0m\033[H\033[J\r\n");
	va_start(ap, c);
	for (const char *line; (line = va_arg(ap, const char *));) {
		char text[LINE_BYTES];
		snprintf(text, sizeof text, "  %s\r\n", line);
		put(c, text);
	}
	va_end(ap);
}

void console_wait_enter(const struct console *c, unsigned seconds)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	char line[LINE_BYTES];
	(void)tcflush(c->fd, TCIFLUSH);
	if (poll(&p, 1, (int)seconds * 1000) > 0)
		(void)!read(c->fd, line, sizeof line);
}

/* --- fonts --------------------------------------------------------------------------------------
 */

static int send_glyphs(int fd, const struct psf *f, unsigned scale, struct err *e)
{
	CLEANUP(buf_clear) struct buf glyphs = BUF_INIT;
	unsigned height = f->height * scale;
	unsigned pitch = height > FONT_PITCH ? height : FONT_PITCH;
	int ret = psf_render(f, scale, pitch, &glyphs, e);
	struct console_font_op op = {
		.op = height > FONT_PITCH ? FONT_SET_TALL : KD_FONT_OP_SET,
		.width = f->width * scale,
		.height = height,
		.charcount = f->count,
		.data = glyphs.p,
	};
	if (ret == 0 && ioctl(fd, KDFONTOP, &op) < 0)
		ret = err_sys(e, ERR_FAILED, NULL, "the console takes no font of %u x %u pixels",
			op.width, op.height);
	return ret;
}

static int send_chars(int fd, const struct psf *f, struct err *e)
{
	struct unipair *pairs = calloc(f->n_chars + 1, sizeof *pairs);
	if (!pairs)
		return err_nomem(e);
	for (size_t i = 0; i < f->n_chars; i++)
		pairs[i] = (struct unipair){f->chars[i].code, f->chars[i].glyph};
	struct unimapinit init = {0};
	struct unimapdesc map = {.entry_ct = (unsigned short)f->n_chars, .entries = pairs};
	int ret = 0;
	if (ioctl(fd, PIO_UNIMAPCLR, &init) < 0 || ioctl(fd, PIO_UNIMAP, &map) < 0)
		ret = err_sys(e, ERR_FAILED, NULL, "the console takes no table of characters");
	free(pairs);
	return ret;
}

static int load_font(int fd, const char *dir, const struct psf_size *size, struct err *e)
{
	CLEANUP(buf_clear) struct buf file = BUF_INIT;
	CLEANUP(psf_clear) struct psf f = {0};
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/%s.psf", dir, size->name);
	int ret = sysfile_all(path, FILE_BYTES, &file, e);
	if (ret == 0)
		ret = psf_init(&f, file.p, file.len, e);
	if (ret == 0)
		ret = send_glyphs(fd, &f, size->scale, e);
	return ret < 0 ? ret : send_chars(fd, &f, e);
}

int console_font(const struct console *c, const char *dir, struct err *e)
{
	unsigned width = 0, height = 0;
	char line[32];
	if (c->serial)
		return 0;
	/* Without a frame buffer the screen is in VGA text mode, whose letters are 8 x 16. */
	if (sysfile_line(SCREEN_SIZE, line, sizeof line))
		(void)sscanf(line, "%u,%u", &width, &height);
	return load_font(c->fd, dir, psf_for_screen(width, height), e);
}

/* --- keyboard layouts ---------------------------------------------------------------------------
 */

static int send_table(int fd, unsigned number, struct reader *r, struct err *e)
{
	for (unsigned key = 0; key < KEYMAP_KEYS; key++) {
		struct kbentry entry = {.kb_table = (unsigned char)number,
			.kb_index = (unsigned char)key,
			.kb_value = reader_le16(r)};
		if (!reader_ok(r))
			return err_set(e, ERR_FORMAT, NULL, "the keyboard layout ends early");
		if (ioctl(fd, KDSKBENT, &entry) < 0)
			return err_sys(e, ERR_FAILED, NULL, "the console takes no keyboard layout");
	}
	return 0;
}

/* A file as `loadkeys --bkeymap` writes it: which of 256 tables follow, then those tables. */
int console_keymap(const struct console *c, const char *dir, const char *name, struct err *e)
{
	CLEANUP(buf_clear) struct buf file = BUF_INIT;
	char path[PATH_BYTES];
	struct reader r;
	snprintf(path, sizeof path, "%s/%s.bmap", dir, name);
	int ret = sysfile_all(path, FILE_BYTES, &file, e);
	if (ret < 0)
		return ret;
	reader_init(&r, file.p, file.len);
	const uint8_t *magic = reader_take(&r, strlen(KEYMAP_MAGIC));
	const uint8_t *present = reader_take(&r, MAX_NR_KEYMAPS);
	if (!present || memcmp(magic, KEYMAP_MAGIC, strlen(KEYMAP_MAGIC)) != 0)
		return err_set(e, ERR_FORMAT, NULL, "%s is no keyboard layout", path);
	for (unsigned i = 0; ret == 0 && i < MAX_NR_KEYMAPS; i++)
		if (present[i])
			ret = send_table(c->fd, i, &r, e);
	return ret;
}
