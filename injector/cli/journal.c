/* odjstick journal: what a stick did, and whether the record of it still stands. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle/lab.h"
#include "cli/cli.h"
#include "journal/verify.h"

/* --- show ------------------------------------------------------------------------------------ */

/* What a person wants on a line: hashes and keys only as their first digits. */
static void print_fact(const struct journal_record *r, enum journal_field id)
{
	char text[JOURNAL_REASON_MAX + 1];
	if (!journal_get_text(r, id, text, sizeof text))
		return;
	if (journal_field_kind(id) == JOURNAL_HASH)
		printf("  %s=%.8s", journal_field_name(id), text);
	else if (strpbrk(text, " \"") || !*text)
		printf("  %s=\"%s\"", journal_field_name(id), text);
	else
		printf("  %s=%s", journal_field_name(id), text);
}

static int print_record(const struct journal_record *r, void *ctx, struct err *e)
{
	uint64_t *session = ctx;
	char utc[CLOCK_TEXT_MAX];
	clock_text(r->utc, utc);
	if (*session != r->session)
		printf("%ssession %" PRIu64 "  boot %.8s\n", r->session ? "\n" : "", r->session,
			r->boot);
	*session = r->session;
	printf("%6" PRIu64 "  %s  %-14s", r->seq, utc, r->event);
	for (int id = 0; id < JOURNAL_FIELD_COUNT; id++)
		print_fact(r, (enum journal_field)id);
	if (putchar('\n') == EOF)
		return err_sys(e, ERR_IO, NULL, "cannot write to standard output");
	return 0;
}

static int collect_record(const struct journal_record *r, void *ctx, struct err *e)
{
	json_t *one = json_loadb(r->json, r->json_len, 0, NULL);
	if (!one)
		return err_nomem(e);
	return json_array_append_new(ctx, one) < 0 ? err_nomem(e) : 0;
}

static int run_show(int argc, char **argv, struct err *e)
{
	bool json = false;
	const char *dir;
	const struct cli_opt opts[] = {{.name = "--json", .flag = &json}, {0}};
	int ret = cli_parse(argc, argv, opts, 1, 1, &dir, NULL, e);
	if (ret < 0)
		return ret;
	if (!json) {
		uint64_t session = UINT64_MAX;
		return journal_read(dir, print_record, &session, e);
	}
	json_t *all = json_array();
	ret = all ? journal_read(dir, collect_record, all, e) : err_nomem(e);
	if (ret < 0) {
		json_decref(all);
		return ret;
	}
	return cli_print_json(all, e);
}

/* --- verify ---------------------------------------------------------------------------------- */

static void print_origin(const struct journal_report *r)
{
	char utc[CLOCK_TEXT_MAX];
	clock_text(r->first_utc, utc);
	printf("stick     %s\n", r->stick);
	printf("bundle    %s\n", r->bundle);
	printf("started   %s, first record %s\n", utc, r->start_code);
	if (!r->lab_signed)
		printf("          start not signed by the lab: compare %s with the lab's note\n",
			r->start_code);
	else if (r->lab_given)
		printf("          %s\n", r->lab_matches ? "signed with the lab key that was given"
							: "signed with another lab's key");
	else
		printf("          signed by a lab key, and none was given to compare: is %s your "
		       "lab's?\n",
			r->lab_fingerprint);
}

static void print_report(const struct journal_report *r)
{
	char utc[CLOCK_TEXT_MAX];
	if (r->records) {
		print_origin(r);
		clock_text(r->last_utc, utc);
		printf("sessions  %" PRIu64 ", of which %" PRIu64 " cut off and recovered\n",
			r->sessions, r->recovered);
		printf("records   %" PRIu64 ", the last one %s\n", r->records, utc);
		printf("head      %s\n", r->head_code);
	}
	if (r->pending)
		printf("note      %" PRIu64 " change(s) of a PC were begun and have no result\n",
			r->pending);
	if (r->clock_back)
		printf("note      a PC's clock was behind: some times are earlier than the record "
		       "before\n");
	if (r->verdict != JOURNAL_INVALID && !r->state_seen)
		printf("note      without the stick's state folder a journal cut at a session's "
		       "end "
		       "looks whole:\n          compare the head with the one noted last\n");
	printf("verdict   %s%s%s\n",
		r->verdict == JOURNAL_VALID	? "VALID"
		: r->verdict == JOURNAL_INVALID ? "INVALID"
						: "INCOMPLETE",
		r->why[0] ? ": " : "", r->why);
}

static json_t *report_json(const struct journal_report *r)
{
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
	clock_text(r->first_utc, first);
	clock_text(r->last_utc, last);
	json_t *v = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
			      "s:b, s:b, s:b, s:b}",
		"verdict", journal_verdict_name(r->verdict), "why", r->why, "sessions",
		(json_int_t)r->sessions, "records", (json_int_t)r->records, "recovered",
		(json_int_t)r->recovered, "pending", (json_int_t)r->pending, "stick", r->stick,
		"bundle", r->bundle, "lab_fingerprint", r->lab_fingerprint, "start", r->start_code,
		"head", r->head_code, "first_utc", first, "last_utc", last, "lab_signed",
		r->lab_signed, "lab_matches", r->lab_matches, "state_seen", r->state_seen,
		"clock_back", r->clock_back);
	if (v && r->verdict == JOURNAL_INVALID) {
		json_object_set_new(v, "bad_seq", json_integer((json_int_t)r->bad_seq));
		json_object_set_new(v, "bad_session", json_integer((json_int_t)r->bad_session));
	}
	return v;
}

static int verdict_status(const struct journal_report *r, const char *dir, struct err *e)
{
	switch (r->verdict) {
	case JOURNAL_VALID:
		return 0;
	case JOURNAL_INCOMPLETE:
		return err_set(e, ERR_FAILED,
			"What is there stands. Start the stick once more to close the session, or "
			"keep this verdict with the copy.",
			"the journal in %s is incomplete: %s", dir, r->why);
	default:
		return err_set(e, ERR_INTEGRITY,
			"Nothing after this point may be relied on. Keep the stick as it is for "
			"the "
			"lab.",
			"the journal in %s is invalid at record %" PRIu64 " (session %" PRIu64
			"): %s",
			dir, r->bad_seq, r->bad_session, r->why);
	}
}

static int run_verify(int argc, char **argv, struct err *e)
{
	bool json = false;
	const char *dir, *lab_path = NULL, *head = NULL;
	const struct cli_opt opts[] = {{.name = "--json", .flag = &json},
		{.name = "--lab", .value = &lab_path}, {.name = "--head", .value = &head}, {0}};
	struct lab_pub lab;
	struct journal_report r;
	int ret = cli_parse(argc, argv, opts, 1, 1, &dir, NULL, e);
	if (ret == 0 && lab_path)
		ret = lab_pub_read(lab_path, &lab, e);
	if (ret == 0)
		ret = journal_verify(dir, lab_path ? lab.pk : NULL, head, &r, e);
	if (ret < 0)
		return ret;
	if (json)
		ret = cli_print_json(report_json(&r), e);
	else
		print_report(&r);
	fflush(stdout);
	return ret < 0 ? ret : verdict_status(&r, dir, e);
}

/* --- report ---------------------------------------------------------------------------------- */

struct row {
	uint64_t intent;
	char name[JOURNAL_LABEL_MAX + 1];
	char serial[JOURNAL_LABEL_MAX + 1];
	char tag[JOURNAL_LABEL_MAX + 1];
	char method[JOURNAL_CODE_MAX + 1];
	char result[JOURNAL_CODE_MAX + 1];
	char error[JOURNAL_CODE_MAX + 1];
	int64_t begun, ended;
	uint64_t session;
};

/* One CSV field, always quoted; a spreadsheet must not take a serial for a formula. */
static void print_csv(const char *s, const char *after)
{
	putchar('"');
	if (*s && strchr("=+-@\t", *s))
		putchar('\'');
	for (; *s; s++) {
		if (*s == '"')
			putchar('"');
		putchar(*s);
	}
	printf("\"%s", after);
}

static void print_row(const struct row *row)
{
	char begun[CLOCK_TEXT_MAX], ended[CLOCK_TEXT_MAX] = "";
	clock_text(row->begun, begun);
	if (row->result[0])
		clock_text(row->ended, ended);
	print_csv(row->name, ",");
	print_csv(row->serial, ",");
	print_csv(row->tag, ",");
	print_csv(row->method, ",");
	print_csv(row->result[0] ? row->result : "unfinished", ",");
	print_csv(row->error, ",");
	printf("%s,%s,%" PRIu64 ",%" PRIu64 "\r\n", begun, ended, row->session, row->intent);
}

static void take_answer(struct buf *rows, const struct journal_record *r)
{
	uint64_t intent = 0;
	journal_get_num(r, JF_INTENT, &intent);
	struct row row;
	for (size_t at = 0; at < rows->len; at += sizeof row) {
		memcpy(&row, rows->p + at, sizeof row);
		if (row.intent != intent)
			continue;
		journal_get_text(r, JF_RESULT, row.result, sizeof row.result);
		if (r->id == JE_UNDO && strcmp(row.result, "ok") == 0)
			snprintf(row.result, sizeof row.result, "undone");
		journal_get_text(r, JF_ERROR, row.error, sizeof row.error);
		row.ended = r->utc;
		memcpy(rows->p + at, &row, sizeof row);
	}
}

static int take_row(const struct journal_record *r, void *ctx, struct err *e)
{
	struct buf *rows = ctx;
	if (r->id == JE_RESULT || r->id == JE_UNDO)
		take_answer(rows, r);
	if (r->id != JE_INTENT)
		return 0;
	struct row row = {.intent = r->seq, .begun = r->utc, .session = r->session};
	journal_get_text(r, JF_COMPUTER_NAME, row.name, sizeof row.name);
	journal_get_text(r, JF_SERIAL, row.serial, sizeof row.serial);
	journal_get_text(r, JF_TAG, row.tag, sizeof row.tag);
	journal_get_text(r, JF_METHOD, row.method, sizeof row.method);
	return buf_add(rows, &row, sizeof row, e);
}

static int run_report(int argc, char **argv, struct err *e)
{
	const char *dir;
	const struct cli_opt opts[] = {{0}};
	struct buf rows = BUF_INIT;
	int ret = cli_parse(argc, argv, opts, 1, 1, &dir, NULL, e);
	if (ret == 0)
		ret = journal_read(dir, take_row, &rows, e);
	if (ret == 0) {
		printf("computer_name,serial,inventory_tag,method,result,error,begun_utc,ended_utc,"
		       "session,record\r\n");
		for (size_t at = 0; at < rows.len; at += sizeof(struct row)) {
			struct row row;
			memcpy(&row, rows.p + at, sizeof row);
			print_row(&row);
		}
	}
	buf_clear(&rows);
	return ret;
}

static const struct cli_verb verbs[] = {
	{"show", "DIR [--json]", "Every record of a stick's journal, in order.", run_show},
	{"verify", "DIR [--lab LAB.pub] [--head CODE] [--json]",
		"Prove that nothing was changed or removed; exit 5 when something was, 1 when the "
		"last session is not closed.",
		run_verify},
	{"report", "DIR",
		"One CSV line per PC: used, failed, undone, unfinished. Not proof by itself.",
		run_report},
	{NULL, NULL, NULL, NULL},
};

const struct cli_noun cli_journal = {"journal", "what a stick did, and proof of it", verbs};
