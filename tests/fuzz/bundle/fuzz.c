/*
 * The parsers of a bundle on arbitrary bytes. The first byte chooses: header, catalog record, entry
 * record, key slots, public key and signature, or a whole file.
 *
 * What must hold: whatever is accepted has exactly one form, so writing it again gives the same
 * bytes.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bundle/format.h"
#include "bundle/record.h"
#include "bundle/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define WHOLE_MAX (256u << 10)

static void must(bool what)
{
	if (!what)
		abort();
}

static void header(const uint8_t *p, size_t n)
{
	struct header h;
	size_t covered;
	char again[HEADER_MAX];
	if (header_parse(p, n, &h, &covered, NULL) < 0)
		return;
	must(header_write(&h, again, true) == n && memcmp(again, p, n) == 0);
	must(covered < n && memcmp(p + covered, "mac ", 4) == 0);
	must(h.facts.count >= 1 && h.facts.count <= BUNDLE_ENTRIES_MAX);
}

static void record(const uint8_t *p, size_t n, bool in_catalog)
{
	struct record r;
	uint8_t position[12];
	if (record_decode(p, n, in_catalog, &r, NULL) < 0)
		return;
	uint8_t *again = calloc(1, n);
	must(again != NULL);
	struct record_writer w = {again, n, 0, false};
	record_add_row(&w, &r.row);
	if (!in_catalog)
		record_add(&w, FIELD_BLOB, r.blob.p, r.blob.len);
	if (r.extras.len) {
		memcpy(again + w.len, r.extras.p, r.extras.len);
		w.len += r.extras.len;
	}
	put_le64(position, r.offset);
	put_le32(position + 8, r.class);
	if (in_catalog)
		record_add(&w, FIELD_POSITION, position, sizeof position);
	record_add(&w, FIELD_END, NULL, 0);
	must(!w.full && memcmp(again, p, n) == 0);
	free(again);
}

static void keys(const uint8_t *p, size_t n)
{
	uint8_t space[KEYS_COUNT * KEYS_SLOT] = {0};
	bool needs_keyfile;
	uint32_t recipients;
	memcpy(space, p, n < sizeof space ? n : sizeof space);
	if (keyslots_check(space, &needs_keyfile, &recipients, NULL) == 0)
		must(recipients < KEYS_COUNT);
}

static void key_text(const uint8_t *p, size_t n)
{
	struct lab_pub pub, again;
	struct buf text = BUF_INIT;
	char comment[LAB_COMMENT_MAX + 1];
	if (lab_pub_parse(p, n, "fuzz", &pub, NULL) == 0) {
		must(lab_pub_text(&pub, &text, NULL) == 0);
		must(lab_pub_parse(text.p, text.len, "again", &again, NULL) == 0);
		must(memcmp(&pub, &again, sizeof pub) == 0);
	} else {
		memset(&pub, 7, sizeof pub);
	}
	must(lab_verify(&pub, "nothing", 7, p, n, "fuzz", comment, NULL) == -ERR_INTEGRITY);
	buf_clear(&text);
}

static void whole(const uint8_t *p, size_t n)
{
	static int fd = -1;
	char path[32];
	struct bundle *b = NULL;
	uint32_t checked;
	if (n > WHOLE_MAX)
		return;
	if (fd < 0)
		fd = memfd_create("bundle", MFD_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
	snprintf(path, sizeof path, "/dev/fd/%d", fd);
	if (bundle_open(&b, path, NULL, NULL) == 0) {
		must(bundle_facts(b)->size == n);
		bundle_check(b, &checked, NULL);
	}
	bundle_close(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0 || secret_setup(NULL) < 0)
		return 0;
	switch (p[0] % 6) {
	case 0:
		header(p + 1, n - 1);
		break;
	case 1:
	case 2:
		record(p + 1, n - 1, p[0] % 6 == 1);
		break;
	case 3:
		keys(p + 1, n - 1);
		break;
	case 4:
		key_text(p + 1, n - 1);
		break;
	default:
		whole(p + 1, n - 1);
	}
	return 0;
}
