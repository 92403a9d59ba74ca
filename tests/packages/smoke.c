// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that uses every library of the sysroot, to see that all of them link statically
 * against musl together, and work: each check compares with a value known from elsewhere.
 */
#include <archive.h>
#include <archive_entry.h>
#include <blkid/blkid.h>
#include <csv.h>
#include <curses.h>
#include <expat.h>
#include <form.h>
#include <jansson.h>
#include <linux/fs.h>
#include <locale.h>
#include <lzma.h>
#include <menu.h>
#include <ntfs-3g/volume.h>
#include <panel.h>
#include <qrencode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <zlib.h>
#include <zstd.h>

static int failures;

static void check(const char *what, int good)
{
	printf("%s %s\n", good ? "ok" : "FAILED", what);
	failures += !good;
}

static void check_codecs(void)
{
	static const unsigned char text[] = "123456789";

	/* The check values every catalogue of CRCs gives for "123456789". */
	check("zlib", crc32(0, text, 9) == 0xCBF43926);
	check("lzma", lzma_crc64(text, 9, 0) == 0x995DC9BBDF1939FA);

	unsigned char packed[64];
	char back[16];
	size_t n = ZSTD_compress(packed, sizeof(packed), text, sizeof(text), 3);

	check("zstd", !ZSTD_isError(n) &&
			      ZSTD_decompress(back, sizeof(back), packed, n) == sizeof(text) &&
			      !memcmp(back, text, sizeof(text)));
}

/* One member through the tar writer and the reader, once for each compression. */
static void check_archive(const char *name, int (*add_filter)(struct archive *))
{
	static char buf[65536];
	size_t used = 0;
	char got[8] = "";
	struct archive *w = archive_write_new();
	struct archive *r = archive_read_new();
	struct archive_entry *e = archive_entry_new();

	archive_write_set_format_pax_restricted(w);
	int good = add_filter(w) == ARCHIVE_OK;

	archive_write_open_memory(w, buf, sizeof(buf), &used);
	archive_entry_set_pathname(e, "member");
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_size(e, 5);
	archive_write_header(w, e);
	archive_write_data(w, "hello", 5);
	archive_write_close(w);
	archive_write_free(w);
	archive_entry_free(e);

	archive_read_support_filter_all(r);
	archive_read_support_format_all(r);
	good = good && archive_read_open_memory(r, buf, used) == ARCHIVE_OK &&
	       archive_read_next_header(r, &e) == ARCHIVE_OK &&
	       archive_read_data(r, got, sizeof(got)) == 5 && !strcmp(got, "hello");
	archive_read_free(r);
	check(name, good);
}

static void count_fields(void *field, size_t len, void *count)
{
	(void)field;
	(void)len;
	++*(int *)count;
}

static void start_element(void *count, const XML_Char *name, const XML_Char **attr)
{
	(void)name;
	(void)attr;
	++*(int *)count;
}

static void check_text_formats(void)
{
	struct csv_parser csv;
	int fields = 0;

	csv_init(&csv, CSV_STRICT);
	csv_parse(&csv, "a,\"b,c\",d\n", 10, count_fields, NULL, &fields);
	csv_free(&csv);
	check("csv", fields == 3);

	XML_Parser xml = XML_ParserCreateNS(NULL, '|');
	int elements = 0;

	XML_SetUserData(xml, &elements);
	XML_SetStartElementHandler(xml, start_element);
	check("expat", XML_Parse(xml, "<a><b/><b/></a>", 15, 1) == XML_STATUS_OK && elements == 3);
	XML_ParserFree(xml);

	json_t *json = json_loads("{\"n\": [1, 9007199254740993]}", 0, NULL);

	check("jansson", json_integer_value(json_array_get(json_object_get(json, "n"), 1)) ==
				 9007199254740993);
	json_decref(json);

	QRcode *qr = QRcode_encodeString("HELLO", 0, QR_ECLEVEL_L, QR_MODE_8, 1);

	check("qrencode", qr && qr->version == 1 && qr->width == 21);
	QRcode_free(qr);
}

/* RFC 7693 appendix A gives BLAKE2b-512 of "abc"; the first bytes do. */
static void check_sodium(void)
{
	unsigned char hash[64];

	check("sodium", sodium_init() >= 0 &&
				!crypto_generichash(hash, sizeof(hash),
					(const unsigned char *)"abc", 3, NULL, 0) &&
				!memcmp(hash, "\xba\x80\xa5\x3f\x98\x1c\x4d\x0d", 8));
}

/* IMAGE: an NTFS volume made by mkntfs, label "smoke". */
static void check_disk(const char *image)
{
	blkid_probe probe = blkid_new_probe_from_filename(image);
	const char *type = "", *label = "";

	if (probe) {
		blkid_probe_enable_partitions(probe, 1);
		blkid_do_safeprobe(probe);
		blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
		blkid_probe_lookup_value(probe, "LABEL", &label, NULL);
	}
	check("blkid", !strcmp(type, "ntfs") && !strcmp(label, "smoke"));
	blkid_free_probe(probe);

	ntfs_volume *vol = ntfs_mount(image, NTFS_MNT_RDONLY);

	check("ntfs-3g", vol && !strcmp(vol->vol_name, "smoke"));
	if (vol)
		ntfs_umount(vol, FALSE);
}

/* Every terminal the wizard may meet is compiled in: no terminfo files are needed. */
static void check_terminals(void)
{
	static const char *const names[] = {"linux", "vt100", "vt220", "xterm", "xterm-256color",
		"tmux", "tmux-256color", "screen", "screen-256color"};
	int error;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		check(names[i], setupterm(names[i], 1, &error) == OK);
		del_curterm(cur_term);
	}
	check("an unknown terminal is refused", setupterm("nonesuch", 1, &error) == ERR);
}

static void check_screens(void)
{
	FILE *null = fopen("/dev/null", "r+");
	SCREEN *screen = newterm("vt220", null, null);
	WINDOW *win = newwin(5, 20, 0, 0);
	PANEL *panel = new_panel(win);
	ITEM *items[] = {new_item("one", ""), NULL};
	MENU *menu = new_menu(items);
	FIELD *fields[] = {new_field(1, 10, 0, 0, 0, 0), NULL};
	FORM *form = new_form(fields);
	cchar_t cell;
	wchar_t wide[CCHARW_MAX] = L"";
	attr_t attrs;
	short pair;

	check("panel", panel && panel_window(panel) == win);
	check("menu", menu && item_count(menu) == 1);
	check("form", form && field_count(form) == 1);
	mvwaddwstr(win, 0, 0, L"\u0159");
	mvwin_wch(win, 0, 0, &cell);
	getcchar(&cell, wide, &attrs, &pair, NULL);
	check("wide characters", wide[0] == L'\u0159');
	endwin();
	delscreen(screen);
	fclose(null);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: smoke NTFS-IMAGE\n");
		return 2;
	}
	setlocale(LC_ALL, "C.UTF-8");
	check_codecs();
	check_archive("archive, gzip", archive_write_add_filter_gzip);
	check_archive("archive, xz", archive_write_add_filter_xz);
	check_archive("archive, zstd", archive_write_add_filter_zstd);
	check_text_formats();
	check_sodium();
	check_disk(argv[1]);
	check_terminals();
	check_screens();
	check("kernel headers", BLKGETSIZE64 != 0);
	return failures != 0;
}
