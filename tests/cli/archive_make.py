# SPDX-License-Identifier: LGPL-2.1-or-later
"""Archives that no recording makes: archive_make.py KIND FILE"""
import io
import sys
import tarfile

kind, path = sys.argv[1:]
MAPS = b"10000-20000 rw-p 00000000 00:00 0\n"
mode = {"gz": "w:gz", "xz": "w:xz", "bz2": "w:bz2"}.get(path.rsplit(".", 1)[1], "w")
tar = tarfile.open(path, mode, format=tarfile.PAX_FORMAT)


def add(name, content=MAPS, type=tarfile.REGTYPE, link=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = type, link, len(content)
    tar.addfile(member, io.BytesIO(content))


def zeros(name, size):
    class Zeros:
        def read(self, n=-1):
            return bytes(n)
    member = tarfile.TarInfo(name)
    member.size = size
    tar.addfile(member, Zeros())


if kind == "good":
    add("snap/", b"", tarfile.DIRTYPE)
    add("snap/maps")
    add("snap/task/41/comm", b"one\n")
elif kind == "dot":
    add("./maps")
elif kind == "dot-folder":
    add("./", b"", tarfile.DIRTYPE)
    add("./maps")
    add("./task/41/comm", b"one\n")
elif kind == "dot-named":
    add("./snap/", b"", tarfile.DIRTYPE)
    add("./snap/maps")
elif kind == "flat":
    add("maps")
elif kind == "symlink":
    add("snap/maps", b"", tarfile.SYMTYPE, "/etc/passwd")
elif kind == "hardlink":
    add("snap/maps")
    add("snap/smaps", b"", tarfile.LNKTYPE, "snap/maps")
elif kind == "outer-hardlink":
    add("snap/maps", b"", tarfile.LNKTYPE, "/etc/passwd")
elif kind == "folder-link":
    add("snap/host", b"", tarfile.SYMTYPE, "/proc")
    add("snap/host/meminfo")
elif kind == "fifo":
    add("snap/maps", b"", tarfile.FIFOTYPE)
elif kind == "device":
    add("snap/maps", b"", tarfile.CHRTYPE)
elif kind == "absolute":
    add("/tmp/maps")
elif kind == "above":
    add("../maps")
elif kind == "inner-above":
    add("snap/maps")
    add("snap/../../maps")
elif kind == "beside":
    add("snap/maps")
    add("other/maps")
elif kind == "twice":
    add("snap/maps")
    add("snap/smaps")
    add("snap/maps")
elif kind == "dot-part":
    add("snap/./maps")
elif kind == "empty-part":
    add("snap//maps")
elif kind == "long-name":
    add("snap/" + "n" * 300)
elif kind == "nothing":
    pass
elif kind == "bomb":
    add("snap/maps")
    zeros("snap/smaps", 1 << 30)
tar.close()
