// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vm_flags.h"

#include "vmatlas/base/error.h"
#include "vmatlas/parse/smaps.h"

/* fs/proc/task_mmu.c show_smap_vma_flags(), 5.10 to 7.3, and what older kernels had. */
#define VM_FLAGS(F)                                                     \
	F(r, d, "readable")                                             \
	F(w, r, "writable")                                             \
	F(e, x, "executable")                                           \
	F(s, h, "shared, writes reach the object")                      \
	F(m, r, "may become readable")                                  \
	F(m, w, "may become writable")                                  \
	F(m, e, "may become executable")                                \
	F(m, s, "created with MAP_SHARED")                              \
	F(g, d, "grows down")                                           \
	F(p, f, "frames without struct page")                           \
	F(g, u, "may hold guard regions")                               \
	F(d, w, "writes to the file denied")                            \
	F(l, o, "locked")                                               \
	F(l, f, "locked on fault")                                      \
	F(i, o, "device memory")                                        \
	F(s, r, "sequential access advised")                            \
	F(r, r, "random access advised")                                \
	F(d, c, "not copied at fork")                                   \
	F(d, e, "cannot be expanded by mremap")                         \
	F(a, c, "counted as committed memory")                          \
	F(n, r, "no swap reserved")                                     \
	F(h, t, "hugetlb")                                              \
	F(s, f, "synchronous faults (DAX)")                             \
	F(n, l, "non-linear; before 4.0")                               \
	F(a, r, "architecture's flag")                                  \
	F(w, f, "wiped at fork")                                        \
	F(d, d, "not in core dumps")                                    \
	F(b, t, "arm64 branch targets guarded")                         \
	F(m, t, "arm64 memory tags")                                    \
	F(m, p, "x86 MPX bounds; before 5.6")                           \
	F(s, d, "soft-dirty")                                           \
	F(m, m, "frames with and without struct page")                  \
	F(h, g, "huge pages advised")                                   \
	F(n, h, "huge pages advised against")                           \
	F(m, g, "KSM may merge")                                        \
	F(u, m, "userfaultfd: missing pages")                           \
	F(u, w, "userfaultfd: write-protected pages")                   \
	F(u, i, "userfaultfd: minor faults")                            \
	F(u, r, "userfaultfd: accesses tracked")                        \
	F(s, s, "shadow stack")                                         \
	F(s, l, "sealed")                                               \
	F(d, p, "kernel may drop the pages")

/* Bit numbers are ours, in table order; the kernel does not show its own. */
#define BIT_OF(a, b, meaning) BIT_##a##b,
enum { VM_FLAGS(BIT_OF) BIT_COUNT };
_Static_assert(BIT_COUNT <= 64, "more VmFlags than bits");

#define NAME_OF(a, b, meaning) { 1ULL << BIT_##a##b, #a #b, meaning },
const struct name vm_flag_names[] = {
	VM_FLAGS(NAME_OF)
	{ 0, NULL, NULL }
};

/* Bit + 1 by the two letters: a VMA has seven codes, and a process many VMAs. */
enum {
	LETTER_a, LETTER_b, LETTER_c, LETTER_d, LETTER_e, LETTER_f, LETTER_g, LETTER_h, LETTER_i,
	LETTER_j, LETTER_k, LETTER_l, LETTER_m, LETTER_n, LETTER_o, LETTER_p, LETTER_q, LETTER_r,
	LETTER_s, LETTER_t, LETTER_u, LETTER_v, LETTER_w, LETTER_x, LETTER_y, LETTER_z, LETTERS
};

#define SLOT_OF(a, b, meaning) [LETTER_##a][LETTER_##b] = BIT_##a##b + 1,
static const uint8_t slots[LETTERS][LETTERS] = { VM_FLAGS(SLOT_OF) };

static uint64_t flag_of(const char *code)
{
	unsigned a = (unsigned char)code[0] - 'a', b = (unsigned char)code[1] - 'a';

	if (a >= LETTERS || b >= LETTERS || !slots[a][b])
		return 0;
	return 1ULL << (slots[a][b] - 1);
}

uint64_t vm_flag(const char *code)
{
	return strlen(code) == 2 ? flag_of(code) : 0;
}

/* Known codes one after the other, each followed by a space or the end. */
static void take_known(struct span *codes, uint64_t *flags)
{
	const char *at = codes->ptr, *end = at + codes->len;
	uint64_t flag;

	while (end - at >= 2 && (end - at == 2 || at[2] == ' ') && (flag = flag_of(at))) {
		*flags |= flag;
		at += end - at == 2 ? 2 : 3;
	}
	codes->len -= (size_t)(at - codes->ptr);
	codes->ptr = at;
}

int vm_flags_parse(struct span codes, uint64_t *flags, struct buf *unknown)
{
	struct span code;

	for (;;) {
		span_skip_blanks(&codes);
		take_known(&codes, flags);
		if (!span_take_word(&codes, &code))
			return 0;
		if (code.len == 2 && flag_of(code.ptr)) {
			*flags |= flag_of(code.ptr);
			continue;
		}
		if ((unknown->len && buf_add_char(unknown, ' ') < 0) ||
		    buf_add_span(unknown, code) < 0)
			return -ERROR_NOMEM;
	}
}
