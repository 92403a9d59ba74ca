/*
 * The ODJ blob: what `djoin /provision` wrote about one future domain member.
 *
 * odj_decode_file() turns any file encoding that real tools produce into the
 * raw blob; odj_decode() takes the raw blob apart; odj_check() says whether a
 * join may be built from it. Nothing here knows Windows or bundles.
 *
 * Secrets: the raw blob holds the machine password in the clear, so it is a
 * `struct secret` as a whole. In `struct odj` odj_win7.password is in secret
 * memory, and of certificate stores (private keys) only length and hash are
 * kept. Everything else is public. odj_json() shows passwords only when asked.
 *
 * Ownership: `struct odj` owns all it points to; odj_clear() frees and wipes,
 * and is safe on a zeroed struct. It keeps no pointer into the raw blob.
 *
 * Format: MS-RPCE 2.2.6 type serialization version 1 of NDR20, nested;
 * IDL published by Microsoft as odj-idl.md; facts on odj, sections (a), (b).
 */
#ifndef ODJ_ODJ_H
#define ODJ_ODJ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"

#define ODJ_RAW_MAX ((size_t)1 << 20)  /* typical 2 kB, with certificates tens of kB */
#define ODJ_FILE_MAX ((size_t)4 << 20) /* UTF-16 base64 of that, with room for blanks */
#define ODJ_NOTES_MAX 32

/* Text on the wire. utf8 is NULL when the pointer was NULL; "" is a different thing. Both views are
 * NUL-free; utf16 is little-endian bytes without a terminator, len counts bytes. */
struct odj_str {
	const char *utf8;
	const uint8_t *utf16;
	size_t len;
};

/* ODJ_UNICODE_STRING: the two lengths travel beside the text. */
struct odj_ustr {
	struct odj_str s;
	uint16_t length;
	uint16_t max_length;
};

/* DOMAIN_CONTROLLER_INFOW. GUIDs are kept as they lie on the wire (mixed-endian). */
struct odj_dc {
	struct odj_str name, address;
	uint32_t address_type;
	uint8_t domain_guid[16];
	struct odj_str domain, forest;
	uint32_t flags;
	struct odj_str dc_site, client_site;
};

/* ODJ_WIN7BLOB */
struct odj_win7 {
	struct odj_str domain, machine_name;
	bool has_password;
	struct secret password; /* UTF-16LE units without terminator; not necessarily text */
	struct odj_ustr netbios_domain, dns_domain, dns_forest;
	uint8_t domain_guid[16];
	struct odj_str sid; /* "S-1-5-21-..." */
	struct odj_dc dc;
	uint32_t options; /* NETSETUP_PROVISION_* */
};

struct odj_prov2 {
	uint32_t flags;
	struct odj_str netbios_name, site, primary_dns_domain;
	uint32_t reserved;
	struct odj_str reserved_str;
};

/* JOIN_PROVIDER3, and 4 when has_guid. */
struct odj_prov3 {
	uint32_t rid;
	struct odj_str sid;
	bool has_guid;
	uint8_t object_guid[16];
};

/* Bytes of which only length and hash are kept. */
struct odj_digest {
	bool present;
	uint32_t len;
	uint8_t sha256[32];
};

struct odj_pfx {
	struct odj_str template_name;
	uint32_t export_policy;
	struct odj_str policy_server_url;
	uint32_t url_flags;
	struct odj_str policy_server_id;
	struct odj_digest pfx;
};

struct odj_sst {
	uint32_t store_location;
	struct odj_str store_name;
	struct odj_digest sst;
};

struct odj_cert {
	size_t pfx_count, sst_count;
	struct odj_pfx *pfx;
	struct odj_sst *sst;
	bool has_extension;
	struct span extension;
};

struct odj_policy_element {
	struct odj_str key, value;
	uint32_t type;
	bool has_data;
	struct span data;
};

struct odj_policy_list {
	struct odj_str source;
	uint32_t root_key;
	size_t count;
	struct odj_policy_element *elements;
};

struct odj_policy {
	size_t count;
	struct odj_policy_list *lists;
	bool has_extension;
	struct span extension;
};

enum odj_part_kind {
	ODJ_PART_UNKNOWN,
	ODJ_PART_JOIN_PROVIDER,
	ODJ_PART_JOIN_PROVIDER2,
	ODJ_PART_JOIN_PROVIDER3,
	ODJ_PART_JOIN_PROVIDER4,
	ODJ_PART_CERT,
	ODJ_PART_POLICY,
};

#define ODJ_PART_ESSENTIAL 1U /* a consumer that does not understand the part must fail */

struct odj_part {
	uint8_t type[16];
	enum odj_part_kind kind;
	uint32_t flags;
	struct odj_digest data;
	struct span extension;
	/* The one that fits `kind`, the others NULL; all NULL when the part has no data. */
	struct odj_win7 *win7;
	struct odj_prov2 *prov2;
	struct odj_prov3 *prov3;
	struct odj_cert *cert;
	struct odj_policy *policy;
};

/* OP_PACKAGE and its part collection */
struct odj_package {
	uint8_t encryption_type[16];
	struct span encryption_context;
	uint32_t cb_decrypted;
	struct span extension, collection_extension;
	size_t count;
	struct odj_part *parts;
};

struct odj_blob {
	uint32_t format; /* 1: win7, 2: package, else neither */
	struct odj_digest data;
	struct odj_win7 *win7;
	struct odj_package *package;
};

enum odj_copies { ODJ_COPIES_SINGLE, ODJ_COPIES_EQUAL, ODJ_COPIES_DIFFER };

struct odj {
	uint32_t version;
	size_t count;
	struct odj_blob *blobs;
	size_t note_count; /* oddities that do not stop decoding; beyond ODJ_NOTES_MAX not kept */
	char notes[ODJ_NOTES_MAX][96];

	/* Views into the above, NULL when absent: what a join is built from. */
	const struct odj_win7 *join; /* of the package, else of format 1 */
	enum odj_copies copies;	     /* format 1 against the package */
	const struct odj_package *package;
	const struct odj_prov2 *prov2;
	const struct odj_prov3 *prov3; /* the last of JOIN_PROVIDER3 and 4 */
	const struct odj_prov3 *prov4;

	struct odj_mem *mem;
};

#define ODJ_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}

/* How the file was written; for reports. */
struct odj_encoding {
	size_t bytes;
	const char *bom; /* "utf-16le", "utf-8" or NULL */
	bool utf16;	 /* UTF-16LE without a mark */
	bool raw;	 /* the blob itself, not base64 */
	bool trailing_nul;
	char trailing_ws[17]; /* hex of at most 8 blanks at the end */
	bool inner_ws;
	size_t base64_chars;
	size_t binary_len;
	uint8_t binary_sha256[32];
};

/* File bytes (any encoding of facts (a)) to the raw blob. enc may be NULL. -ERR_FORMAT for all that
 * is not a blob, -ERR_LIMIT beyond the limits. `name` is for messages. */
int odj_decode_file(const void *bytes, size_t len, const char *name, struct secret *raw,
	struct odj_encoding *enc, struct err *e);

/* The same from a path; the file is read into secret memory. */
int odj_read_file(const char *path, struct secret *raw, struct odj_encoding *enc, struct err *e);

/* Raw blob to fields. -ERR_FORMAT when malformed, -ERR_UNSUPPORTED for another version or an
 * encrypted package. On failure *o is cleared. */
int odj_decode(const struct secret *raw, struct odj *o, struct err *e);
void odj_clear(struct odj *o);

/* --- judgement --- */

enum odj_level { ODJ_WARN = 1, ODJ_STOP };

/* ODJ_DIRECT: we write the join state into the registry ourselves. ODJ_WINDOWS: Windows gets the
 * whole blob (unattend, djoin) and handles every part. */
enum odj_use { ODJ_DIRECT, ODJ_WINDOWS };

struct odj_finding {
	const char *id; /* stable, "odj.copies" */
	enum odj_level level;
	char text[256]; /* what, with the next step */
};

#define ODJ_FINDINGS_MAX 16

/* Returns the number of findings; 0 means the blob is fit for this use. */
size_t odj_check(const struct odj *o, enum odj_use use, struct odj_finding out[ODJ_FINDINGS_MAX]);

/* --- showing --- */

/* Everything decoded, keys as in docs: version, blobs, notes, summary; plus encoding when enc is
 * not NULL. Without show_secret each password, and each hash a password could be guessed from, is
 * the string ODJ_HIDDEN. NULL when out of memory. */
#define ODJ_HIDDEN "(hidden)"
json_t *odj_json(const struct odj *o, const struct odj_encoding *enc, bool show_secret);

#define ODJ_GUID_TEXT 37
void odj_guid_text(const uint8_t guid[16], char out[ODJ_GUID_TEXT]); /* lower case, no braces */
const char *odj_part_name(enum odj_part_kind kind);		     /* "JOIN_PROVIDER3" */

#endif
