/* Security cells: one ring of shared descriptors with exact reference counts. */
#include "hive/hive_int.h"

#include <string.h>

#define RING_MAX 1000000U /* more cells than any hive has: a ring that does not close */

static const uint8_t *sk_node(const struct hive *h, uint32_t at, uint32_t *n, struct err *e)
{
	const uint8_t *p = cell_data(h, at, n);
	if (p && *n >= SK_SD && memcmp(p, "sk", 2) == 0 && le32(p + SK_SIZE) <= *n - SK_SD)
		return p;
	damaged(e, at, "not a security record");
	return NULL;
}

int security_get(const struct hive *h, uint32_t sk, struct span *sd, struct err *e)
{
	uint32_t n;
	const uint8_t *p = sk_node(h, sk, &n, e);
	if (!p)
		return -ERR_INTEGRITY;
	*sd = (struct span){p + SK_SD, le32(p + SK_SIZE)};
	return 0;
}

/* --- is it a descriptor at all? --- */

static bool sid_valid(struct span sd, uint32_t at)
{
	if (at > sd.len || sd.len - at < 8)
		return false;
	return sd.p[at] == 1 && sd.p[at + 1] <= 15 && sd.len - at >= 8U + 4U * sd.p[at + 1];
}

static bool acl_valid(struct span sd, uint32_t at)
{
	if (at > sd.len || sd.len - at < 8)
		return false;
	uint32_t size = le16(sd.p + at + 2), count = le16(sd.p + at + 4), pos = 8;
	if (size < 8 || size > sd.len - at)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (size - pos < 4)
			return false;
		uint32_t n = le16(sd.p + at + pos + 2);
		if (n < 4 || n % 4 || n > size - pos)
			return false;
		pos += n;
	}
	return true;
}

bool security_valid(struct span sd)
{
	if (sd.len < 20 || sd.p[0] != 1 || !(le16(sd.p + 2) & 0x8000))
		return false;
	for (size_t i = 4; i < 20; i += 4) {
		uint32_t at = le32(sd.p + i);
		if (at && !(i < 12 ? sid_valid(sd, at) : acl_valid(sd, at)))
			return false;
	}
	return true;
}

/* --- sharing --- */

static int ring_find(
	const struct hive *h, uint32_t ring, struct span sd, uint32_t *found, struct err *e)
{
	uint32_t at = ring, n;
	for (uint32_t i = 0; i < RING_MAX; i++) {
		const uint8_t *p = sk_node(h, at, &n, e);
		if (!p)
			return -ERR_INTEGRITY;
		if (le32(p + SK_SIZE) == sd.len && memcmp(p + SK_SD, sd.p, sd.len) == 0) {
			*found = at;
			return 0;
		}
		at = le32(p + SK_NEXT);
		if (at == ring)
			break;
	}
	*found = NIL;
	return 0;
}

static int ring_insert(struct hive *h, uint32_t ring, uint32_t at, struct err *e)
{
	uint32_t n;
	if (ring == NIL)
		ring = at;
	const uint8_t *p = sk_node(h, ring, &n, e);
	if (!p)
		return -ERR_INTEGRITY;
	uint32_t next = ring == at ? at : le32(p + SK_NEXT);
	int ret = cell_put32(h, at, SK_NEXT, next, e);
	if (ret == 0)
		ret = cell_put32(h, at, SK_PREV, ring, e);
	if (ret == 0)
		ret = cell_put32(h, ring, SK_NEXT, at, e);
	return ret == 0 ? cell_put32(h, next, SK_PREV, at, e) : ret;
}

int security_share(struct hive *h, uint32_t ring, struct span sd, uint32_t *sk, struct err *e)
{
	uint32_t n;
	int ret = 0;
	*sk = NIL;
	if (ring != NIL)
		ret = ring_find(h, ring, sd, sk, e);
	if (ret < 0)
		return ret;
	if (*sk != NIL) {
		const uint8_t *p = sk_node(h, *sk, &n, e);
		return cell_put32(h, *sk, SK_REFS, le32(p + SK_REFS) + 1, e);
	}
	ret = cell_alloc(h, SK_SD + (uint32_t)sd.len, sk, e);
	if (ret < 0)
		return ret;
	uint8_t *p = cell_edit(h, *sk, 0, SK_SD + (uint32_t)sd.len);
	put_sig(p, "sk");
	put_le32(p + SK_REFS, 1);
	put_le32(p + SK_SIZE, (uint32_t)sd.len);
	memcpy(p + SK_SD, sd.p, sd.len);
	return ring_insert(h, ring, *sk, e);
}

int security_release(struct hive *h, uint32_t sk, struct err *e)
{
	uint32_t n;
	const uint8_t *p = sk_node(h, sk, &n, e);
	if (!p)
		return -ERR_INTEGRITY;
	uint32_t refs = le32(p + SK_REFS), next = le32(p + SK_NEXT), prev = le32(p + SK_PREV);
	if (refs > 1)
		return cell_put32(h, sk, SK_REFS, refs - 1, e);
	int ret = cell_put32(h, prev, SK_NEXT, next, e);
	if (ret == 0)
		ret = cell_put32(h, next, SK_PREV, prev, e);
	return ret == 0 ? cell_free(h, sk, e) : ret;
}
