#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""stop.py VMATLAS FRAME: frame hold stops a set until its input ends."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

VMATLAS, FRAME = sys.argv[1:3]
ROOT = os.geteuid() == 0
# What su does: when its child stops it stops, too, and when it goes on so does the child. It says
# how often that was.
SU = r"""
import os, sys
def run(depth):
    if not depth:
        os.execvp("sleep", ["sleep", "600"])
    child = os.fork()
    if not child:
        run(depth - 1)
    os.write(1, b"%d %d\n" % (os.getpid(), child))
    while os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]):
        os.write(2, b"x")
        os.kill(os.getpid(), 19)
        os.kill(child, 18)
    os._exit(0)
run(int(sys.argv[1]))
"""
# Waits in vfork(2) for a child that sleeps: neither can do anything else.
VFORK = r"""
#include <stdio.h>
#include <unistd.h>
#include <sys/prctl.h>
int main(void)
{
	static volatile int child;
	if (!vfork()) {
		prctl(PR_SET_PDEATHSIG, 9);
		child = getpid();
		dprintf(1, "%d\n", child);
		for (;;)
			pause();
	}
	return 0;
}
"""
BUSY = "import threading\n" \
       "for _ in range(3): threading.Thread(target=lambda: all(x == 0 for x in iter(int, 1))).start()\n"
wrong = 0


def bad(text):
    global wrong
    wrong += 1
    print("failed:", text)


def states(pid):
    """Of all threads; stopped is T, whatever it did before is not."""
    found = set()
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/stat", encoding="utf-8", errors="replace") as file:
            found.add("T" if file.read().rpartition(")")[2].split()[0] == "T" else "run")
    return found


def become(pid, state, seconds=10):
    end = time.monotonic() + seconds
    while states(pid) != {state} and time.monotonic() < end:
        time.sleep(0.01)
    return states(pid) == {state}


class Set:
    """A sleeper, a process of several busy threads, and one that is stopped before."""

    def __enter__(self):
        self.processes = [subprocess.Popen(["sleep", "600"]),
                          subprocess.Popen([sys.executable, "-c", BUSY]),
                          subprocess.Popen(["sleep", "600"])]
        self.running = [p.pid for p in self.processes[:2]]
        self.stopped = self.processes[2].pid
        os.kill(self.stopped, signal.SIGSTOP)
        end = time.monotonic() + 10
        while len(os.listdir(f"/proc/{self.running[1]}/task")) < 4 and time.monotonic() < end:
            time.sleep(0.01)
        become(self.stopped, "T")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()

    def pids(self):
        return [str(p.pid) for p in self.processes]

    def check(self, what):
        for pid in self.running:
            if not become(pid, "run"):
                bad(f"{what}: process {pid} stands still")
        if states(self.stopped) != {"T"}:
            bad(f"{what}: what was stopped before runs")


def obey_signals():
    """A shell starts what is in the background with SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


class Hold:
    def __init__(self, *args):
        self.process = subprocess.Popen([FRAME, "hold", "--stop", *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=obey_signals)
        said = self.process.stdout.readline()
        self.said = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", said)}

    def end(self):
        out, _ = self.process.communicate()
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", out)}


def check_normal(processes):
    hold = Hold(*processes.pids())
    if [hold.said.get(k) for k in ("count", "before", "refused", "late")] != [2, 1, 0, 0]:
        bad(f"hold says {hold.said}")
    for pid in map(int, processes.pids()):
        if states(pid) != {"T"}:
            bad(f"process {pid} is not stopped: {states(pid)}")
    if hold.end() != {"lost": 0, "again": 0, "parents": 0}:
        bad("the guardian was lost, or something had to be continued again")
    processes.check("normal end")


def check_killed(processes, number):
    """Also between the threads of one group: the guardian has a session of its own."""
    hold = Hold(*processes.pids())
    os.kill(hold.process.pid, number)
    hold.process.wait()
    processes.check(f"signal {number}")
    hold.process.communicate()


def check_guardian_killed(processes):
    hold = Hold(*processes.pids())
    os.kill(hold.said["guardian"], signal.SIGTERM)
    os.kill(hold.said["guardian"], signal.SIGINT)
    time.sleep(0.1)
    if states(processes.running[0]) != {"T"}:
        bad("a signal that can be blocked ends the guardian")
    os.kill(hold.said["guardian"], signal.SIGKILL)
    if hold.end() != {"lost": 1, "again": 0, "parents": 0}:
        bad("a lost guardian is not told")
    processes.check("the guardian was killed")


def check_other_process(processes):
    """The number was given to another process meanwhile."""
    first = min(processes.running)
    hold = Hold("--other-start", str(first))
    if hold.said["count"] or states(first) != {"run"}:
        bad(f"a process with another start time is stopped: {hold.said}")
    hold.end()


def check_refused():
    if not ROOT:
        return
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        out = subprocess.run([FRAME, "hold", "--stop", str(sleeper.pid)], user=65534, group=65534,
                             extra_groups=[], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, check=False)
        if "count=0 before=0 refused=1" not in out.stdout:
            bad(f"another user's process: {out.stdout}{out.stderr}")
    finally:
        sleeper.kill()
        sleeper.wait()


def check_self(processes, command):
    """It is in the tree itself, and so is this program, which reads the answer: both run on."""
    out = subprocess.run([VMATLAS, command, "--json", "--stop", "--tree", str(os.getpid())],
                         capture_output=True, text=True, check=False, timeout=60)
    if out.returncode:
        bad(f"{command} --stop of our tree: exit {out.returncode} {out.stderr}")
        return
    stop = json.loads(out.stdout)["stop"]
    if [stop[k] for k in ("stopped", "stopped_before", "spared", "refused")] != [2, 1, 2, 0]:
        bad(f"{command} --stop of our tree: {stop}")
    processes.check(f"{command} of our tree")


def shell_of_tree(command):
    """Two shells, the tree of the outer one is the set; no shell runs its last command itself."""
    inner = f"{command} --stop --tree $PPID; rc=$?; exit $rc"
    return ["sh", "-c", f"sleep 600 & sh -c '{inner}'; rc=$?; kill $!; wait; exit $rc"]


def family(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def check_ancestors_held():
    """What su waits for: a child that stops. The sleeper stands still, the shells do not."""
    with subprocess.Popen(shell_of_tree(f"{FRAME} hold"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as shell:
        said = shell.stdout.readline()
        sleeper, inner = family(shell.pid)
        if not said.startswith("count=1 before=0 refused=0 late=0 spared=3 "):
            bad(f"tree of a shell: {said}")
        if os.waitpid(shell.pid, os.WUNTRACED | os.WNOHANG) != (0, 0):
            bad("the parent of a shell saw it stop")
        found = [states(pid) for pid in (shell.pid, inner, sleeper)]
        if found != [{"run"}, {"run"}, {"T"}]:
            bad(f"shell, inner shell and sleeper are {found}")
        shell.stdin.close()
        if shell.wait(timeout=60):
            bad(f"shells end with {shell.returncode}")


def watched(args):
    """Runs it as su does: waits for its end, and for each stop before. Output, stops, exit."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    while signal.sigtimedwait([signal.SIGCHLD], 0):
        continue
    stops = 0
    with tempfile.TemporaryFile("w+") as out, \
         subprocess.Popen(args, stdout=out, preexec_fn=lambda: signal.pthread_sigmask(
             signal.SIG_UNBLOCK, [signal.SIGCHLD])) as child:
        while child.poll() is None:
            info = signal.sigtimedwait([signal.SIGCHLD], 10)
            stops += info is not None and info.si_code == os.CLD_STOPPED
        out.seek(0)
        text = out.read()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    return text, stops, child.returncode


def check_ancestors(command):
    out, stops, status = watched(shell_of_tree(f"{VMATLAS} {command} --json"))
    stop = json.loads(out)["stop"] if out else {}
    if status or stops or [stop.get(k) for k in ("stopped", "spared")] != [1, 3]:
        bad(f"{command} of a shell's tree: exit {status}, it stopped {stops} times, {stop}")
    out, stops, status = watched(shell_of_tree(f"{VMATLAS} {command}"))
    if status or stops or "; 3 ran on: vmatlas, its ancestors" not in out:
        bad(f"{command} of a shell's tree: exit {status}, it stopped {stops} times, {out}")


class Su:
    """Some that behave like su, each the child of the one before, and a sleeper at the end."""

    def __init__(self, depth):
        self.process = subprocess.Popen([sys.executable, "-c", SU, str(depth)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = [self.process.stdout.readline().split() for _ in range(depth)]
        self.pids = sorted({int(word) for line in said for word in line})
        os.set_blocking(self.process.stderr.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def stops(self):
        return len(self.process.stderr.read() or b"")

    def runs(self, what):
        for pid in self.pids:
            if not become(pid, "run", 5):
                bad(f"{what}: {pid} of {self.pids} stands still")


def check_su_inside():
    """Parent and child are of the set: the parent must not see its child stop."""
    with Su(3) as su:
        for i in range(20):
            hold = Hold(*map(str, su.pids[::-1] if i % 2 else su.pids))
            said = hold.end()
            if hold.said["count"] != 4 or said != {"lost": 0, "again": 0, "parents": 0}:
                bad(f"su inside: {hold.said}, {said}")
            if su.stops():
                bad("su inside: it saw its child stop")
            su.runs("su inside")


def check_su_outside():
    """Only the child is of the set: all above it stop themselves, one after another."""
    with Su(3) as su:
        for _ in range(5):
            hold = Hold(str(su.pids[-1]))
            for pid in su.pids:
                if not become(pid, "T"):
                    bad(f"su outside: {pid} did not stop: this tests nothing")
            said = hold.end()
            if said["lost"] or said["parents"] < 3:
                bad(f"su outside: {said}")
            su.runs("su outside")


def check_su_killed(victim):
    """The same if one of the two that can continue them dies."""
    with Su(2) as su:
        for pids in ([su.pids[-1]], su.pids):
            hold = Hold(*map(str, pids))
            become(su.pids[0], "T")
            os.kill(hold.process.pid if victim == "tool" else hold.said["guardian"],
                    signal.SIGKILL)
            hold.end()
            su.runs(f"su, {victim} killed")


def check_su_stopped_before():
    """What its parent had stopped itself for is not ours to continue."""
    with Su(1) as su:
        os.kill(su.pids[1], signal.SIGSTOP)
        if not all(become(pid, "T") for pid in su.pids):
            bad("su before: it did not stop")
        hold = Hold(*map(str, su.pids))
        if hold.said["before"] != 2 or hold.end()["parents"] or \
                not all(states(pid) == {"T"} for pid in su.pids):
            bad(f"su before: {hold.said}")


def check_vfork():
    """The parent cannot run while its child stands still: it is not late, and nobody waits."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = folder + "/vfork.c", folder + "/vfork"
        with open(source, "w", encoding="ascii") as file:
            file.write(VFORK)
        subprocess.run([os.environ.get("CC", "cc").split()[-1], "-o", program, source],
                       check=True)
        parent = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        child = int(parent.stdout.readline())
        try:
            start = time.monotonic()
            hold = Hold(str(parent.pid), str(child))
            if hold.said["count"] != 2 or hold.said["late"]:
                bad(f"vfork: {hold.said} after {time.monotonic() - start:.2f} s")
            if states(child) != {"T"}:
                bad("vfork: the child runs")
            hold.end()
            for pid in parent.pid, child:
                if not become(pid, "run"):
                    bad(f"vfork: {pid} stands still")
        finally:
            os.kill(child, signal.SIGKILL)
            parent.wait()
            parent.stdout.close()


def check_command(processes, command):
    out = subprocess.run([VMATLAS, command, "--json", "--stop", *processes.pids()],
                         capture_output=True, text=True, check=True, timeout=60)
    stop = json.loads(out.stdout)["stop"]
    if [stop[k] for k in ("stopped", "stopped_before", "refused", "late")] != [2, 1, 0, 0]:
        bad(f"{command} --stop: {stop}")
    if not 0 < stop["duration_us"] < 60_000_000:
        bad(f"{command} --stop for {stop['duration_us']} microseconds")
    processes.check(command)
    out = subprocess.run([VMATLAS, command, "--json", *processes.pids()], capture_output=True,
                         text=True, check=True)
    if "stop" in json.loads(out.stdout):
        bad(f"{command} stops without being asked")


def main():
    with Set() as processes:
        check_normal(processes)
        for number in (signal.SIGKILL, signal.SIGINT, signal.SIGSEGV, signal.SIGPIPE):
            check_killed(processes, number)
        check_guardian_killed(processes)
        check_other_process(processes)
        for command in ("ps", "files"):
            check_command(processes, command)
            check_self(processes, command)
    check_ancestors_held()
    for command in ("ps", "files", "share"):
        check_ancestors(command)
    check_su_inside()
    check_su_outside()
    check_su_killed("tool")
    check_su_killed("guardian")
    check_su_stopped_before()
    check_vfork()
    check_refused()
    return 1 if wrong else 0


sys.exit(main())
