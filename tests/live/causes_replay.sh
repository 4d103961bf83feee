#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Causes as a snapshot tells them: what causes.sh demands, of recorded processes.
REPLAY=yes
export REPLAY
exec sh "${srcdir:-.}/tests/live/causes.sh"
