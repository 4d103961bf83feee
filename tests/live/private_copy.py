# SPDX-License-Identifier: LGPL-2.1-or-later
"""private_copy.py PROGRAM FOLDER: copies a program, its loader and libraries, so that nobody else
maps their pages: map counts then do not depend on what else runs. It runs with
LD_LIBRARY_PATH=FOLDER, whose name has to be short."""
import re
import shutil
import subprocess
import sys

program, folder = sys.argv[1:]
listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
for path in re.findall(r"(/\S+) \(0x", listed):
    shutil.copy(path, folder)
with open(program, "rb") as f:
    image = f.read()
loader = re.search(rb"/lib[\w/.-]*/ld[\w.-]*\.so[\w.]*\0", image).group()
own = ("%s/%s" % (folder, loader[:-1].decode().rsplit("/", 1)[1])).encode()
if len(own) >= len(loader):
    shutil.copy("%s" % own.decode(), "%s/ld" % folder)
    own = ("%s/ld" % folder).encode()
if len(own) >= len(loader):
    sys.exit("the name of the folder is too long")
with open("%s/%s" % (folder, program.rsplit("/", 1)[1]), "wb") as f:
    f.write(image.replace(loader, own.ljust(len(loader), b"\0"), 1))
shutil.copymode(program, "%s/%s" % (folder, program.rsplit("/", 1)[1]))
