// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "report_output.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "vmatlas/render/escape.h"

/* Columns of the longest line. */
static size_t widest(const char *text)
{
	size_t most = 0;

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		most = len > most ? len : most;
	}
	return most;
}

static void test_cut(void)
{
	const struct report_options narrow = { .format = REPORT_TEXT, .width = 24 };
	const struct report_options free = { .format = REPORT_TEXT };

	for (size_t hint = 0; hint < 2; hint++) {
		CLEANUP_FREE char *cut = table_text(&narrow, "start,size,path", hint);
		CLEANUP_FREE char *whole = table_text(&free, "start,size,path", hint);

		CHECK(strstr(cut, "START") && !strstr(cut, "x41"));
		cut[strcspn(cut, "-")] = '\0';		/* the footnotes are wrapped, not cut */
		CHECK(widest(cut) <= 24);
		CHECK(strstr(whole, "\\x5cx41\\y"));
	}
}

/* START, SIZE and blanks take 12 columns. */
static void test_cut_front(void)
{
	const struct report_options narrow = { .format = REPORT_TEXT, .width = 23 };
	CLEANUP_FREE char *cut = table_text(&narrow, "start,size,tail", 1);
	CLEANUP_FREE char *small = table_text(&(struct report_options) { .format = REPORT_TEXT,
					      .width = 14 }, "start,size,tail", 1);

	CHECK(strstr(cut, " /bin/plain\n") && strstr(cut, " ...x5cx41\\y\n"));
	CHECK(!strstr(cut, "/tmp"));
	cut[strcspn(cut, "-")] = '\0';
	CHECK(widest(cut) <= 24);			/* in bytes, and one is of two */
	CHECK(strstr(small, "1.5M /bin/plain\n") && strstr(small, " ...5cx41\\y\n"));
}

/* What does not fit goes on below, and what could not be read there begins a line. */
static void test_sentences(void)
{
	for (size_t streamed = 0; streamed < 2; streamed++) {
		const struct report_options wide = { .format = REPORT_TEXT, .width = 50 };
		const struct report_options narrow = { .format = REPORT_TEXT, .width = 36 };
		CLEANUP_FREE char *hang = table_text(&wide, "size,words", !streamed);
		CLEANUP_FREE char *below = table_text(&narrow, "size,words", !streamed);
		char want[200];

		snprintf(want, sizeof(want), "1.5M one two three four five six seven eight%s"
			 "ten eleven\n", streamed ? "\n       nine " : " nine\n     ");
		CHECK(strstr(hang, want) && strstr(hang, "SIZE WORDS\n"));
		CHECK(strstr(below, "SIZE\n"));
		CHECK(strstr(below, "1.5M\n    one two three four five six\n"
			     "    seven eight nine ten eleven\n"));
	}
}

/* Of two columns that may be cut the wider one gives way first. */
static void test_cut_widest(void)
{
	const struct report_options narrow = { .format = REPORT_TEXT, .width = 42 };
	CLEANUP_FREE char *cut = table_text(&narrow, "path,tail,size", 1);

	CHECK(strstr(cut, "\n/bin/plain         /bin/plain         1.5M\n"));
}

/* A pseudo terminal hands its bytes on in pieces, a little later: reads up to the end mark. */
static void read_terminal(int fd, char *text, size_t size, const char *end)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	text[0] = '\0';
	while (!strstr(text, end) && len + 1 < size && poll(&ready, 1, 10000) == 1) {
		ssize_t got = read(fd, text + len, size - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
		text[len] = '\0';
	}
}

/* A terminal: its width counts, headings are bold, and what is no terminal has neither. */
static void test_terminal(void)
{
	const struct report_options options = { .format = REPORT_TEXT };
	const struct winsize size = { .ws_row = 10, .ws_col = 30 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char text[4096];
	struct output o = { NULL };

	if (master < 0 || grantpt(master) || unlockpt(master)) {
		printf("no pseudo terminal: not tested\n");
		return;
	}
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && !ioctl(slave, TIOCSWINSZ, &size));
	o.file = fdopen(slave, "w");
	CHECK(!report_new(o.file, "vmatlas/test", &options, &o.report, NULL));
	output_table(&o, "start,path", 5, 5);
	CHECK(!report_end(o.report, NULL));
	report_free(o.report);
	fputs("END", o.file);
	fflush(o.file);
	read_terminal(master, text, sizeof(text), "END");
	CHECK(strstr(text, "\033[1mRows\033[0m"));
	CHECK(strstr(text, "/bin/plain") && !strstr(text, "x80"));
	fclose(o.file);
	close(master);
}

int main(void)
{
	if (!setlocale(LC_ALL, "C.UTF-8"))
		TEST_SKIP("there is no C.UTF-8 locale");
	escape_set_utf8(true);
	test_cut();
	test_cut_front();
	test_sentences();
	test_cut_widest();
	test_terminal();
	TEST_END;
}
