// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/parse/cgroup.h"

static void test_lines(void)
{
	struct span text = SPAN_LITERAL("12:cpu,cpuacct:/a:b\n"
					"no line\n"
					"4:memory\n"
					"1:name=systemd:/init.scope\n"
					"0::/user.slice/gone (deleted)\n");
	struct cgroup_line line;

	CHECK(cgroup_take_line(&text, &line));
	CHECK_U64(line.hierarchy, 12);
	CHECK_SPAN(line.controllers, "cpu,cpuacct");
	CHECK_SPAN(line.path, "/a:b");
	CHECK(cgroup_take_line(&text, &line) && line.hierarchy == 1 && !line.deleted);
	CHECK(cgroup_take_line(&text, &line) && line.hierarchy == 0 && line.deleted);
	CHECK_SPAN(line.path, "/user.slice/gone");
	CHECK_SPAN(line.controllers, "");
	CHECK(!cgroup_take_line(&text, &line));
}

static void memory_is(const char *text, const char *want)
{
	struct cgroup_line line = { .path = SPAN_LITERAL("none") };
	bool found = cgroup_of_memory(span_of(text), &line);

	CHECK(found == (strcmp(want, "none") != 0));
	CHECK_SPAN(line.path, want);
}

static void test_memory(void)
{
	memory_is("0::/a\n", "/a");
	memory_is("0::/\n", "/");
	memory_is("9:name=systemd:/s\n4:memory:/m\n0::/\n", "/m");
	memory_is("4:cpu,memory,io:/m\n", "/m");
	memory_is("4:memory:/\n0::/v2\n", "/v2");
	memory_is("0::/v2\n4:memory:/\n", "/v2");
	memory_is("4:memory:/m\n0::/v2\n", "/m");
	memory_is("0::/v2\n4:memory:/m\n", "/m");
	memory_is("4:memory:/\n0::/\n", "/");
	memory_is("4:memoryless:/m\n9:name=systemd:/s\n", "none");
	memory_is("", "none");
}

static bool matches(const char *path, const char *pattern)
{
	struct cgroup_line line = { .path = span_of(path) };

	return cgroup_matches(&line, pattern);
}

static bool matches_v1(const char *controllers, const char *path, const char *pattern)
{
	struct cgroup_line line = {
		.hierarchy = 4, .controllers = span_of(controllers), .path = span_of(path)
	};

	return cgroup_matches(&line, pattern);
}

static void test_matches(void)
{
	CHECK(matches("/a/b", "/a/b"));
	CHECK(matches("/a/b/c", "/a/b"));
	CHECK(matches("/a/b/c", "/a/b/"));
	CHECK(!matches("/a/bc", "/a/b"));
	CHECK(!matches("/a", "/a/b"));
	CHECK(!matches("/x/a/b", "/a/b"));
	CHECK(matches("/", "/") && matches("/a", "/"));
	CHECK(!matches("/a", ""));
	CHECK(matches("/a/b", "/sys/fs/cgroup/a"));
	CHECK(matches("/a/b", "/sys/fs/cgroup") && matches("/a/b", "/sys/fs/cgroup/"));
	CHECK(!matches("/a/b", "/sys/fs/cgroups"));
	CHECK(matches("/a/b", "/sys/fs/cgroup/unified/a") &&
	      matches("/a", "/sys/fs/cgroup/unified"));
	/* The folder of a hierarchy of v1 names just this one. */
	CHECK(matches_v1("memory", "/a/b", "/sys/fs/cgroup/memory/a"));
	CHECK(matches_v1("memory", "/a/b", "/sys/fs/cgroup/memory"));
	CHECK(matches_v1("cpu,cpuacct", "/a/b", "/sys/fs/cgroup/cpu,cpuacct/a/b/"));
	CHECK(matches_v1("cpu,cpuacct", "/a/b", "/sys/fs/cgroup/cpuacct/a"));
	CHECK(matches_v1("name=systemd", "/a/b", "/sys/fs/cgroup/systemd/a"));
	CHECK(!matches_v1("cpu,cpuacct", "/a/b", "/sys/fs/cgroup/memory/a"));
	CHECK(!matches_v1("memory", "/a/b", "/sys/fs/cgroup/a"));
	CHECK(matches_v1("memory", "/a/b", "/a"));
	/* A name alone, at any depth. */
	CHECK(matches("/system.slice/ssh.service", "ssh.service"));
	CHECK(matches("/a/ssh.service/b", "ssh.service"));
	CHECK(!matches("/a/openssh.service", "ssh.service"));
	/* Patterns, and names that look like one. */
	CHECK(matches("/system.slice/a.service", "/system.slice/*.service"));
	CHECK(!matches("/system.slice/a/b.service", "/system.slice/*.service"));
	CHECK(matches("/docker/1f2e", "1f*"));
	CHECK(matches("/s/dev\\x2ddisk", "/s/dev\\x2ddisk"));
	CHECK(matches("/s/dev\\x2ddisk", "dev\\x2ddisk"));
	CHECK(matches("/../x", "/../x"));
}

int main(void)
{
	test_lines();
	test_memory();
	test_matches();
	TEST_END;
}
