# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre guest debian`: a disk image of Debian 12, made of packages.

Two steps: mmdebstrap installs packages into an archive, which is kept; an image is that archive in
a file system, with name, ssh key and settings of its own. Neither mounts anything; who is not root
gets the first by user namespaces, the second by fakeroot.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import uuid

from compose import fields, output
from nacre import archive, build, packages, places
from nacre.guest import boot_files, partitions
from nacre.report import Failure, Misuse, log_tail, step

RELEASE, CODENAME = "12", "bookworm"
KERNELS = ("amd64", "cloud-amd64", "rt-amd64")
NEEDS = ("mmdebstrap", "debian-archive-keyring", "e2fsprogs")
NEEDS_OF_USERS = ("fakeroot", "uidmap")
# A small system to log in to: for more there is apt, or --include.
PACKAGES = ("bash-completion", "ca-certificates", "dbus", "e2fsprogs", "initramfs-tools",
            "iproute2", "iputils-ping", "kmod", "less", "login", "netbase", "openssh-server",
            "pciutils", "procps", "systemd-resolved", "systemd-sysv", "udev", "vim-tiny", "zstd")
PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
KEY = re.compile(r"(?:ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+(?: .*)?")
MEBIBYTE = 1 << 20
SMALLEST = 512 * MEBIBYTE
# What is put over the installed packages: guests/debian, as it is.
OVERLAY = places.ROOT / "guests" / "debian"
# Links of the overlay, which a checkout of the repository need not have.
LINKS = {"etc/systemd/system/sysinit.target.wants/systemd-network-generator.service":
         "/lib/systemd/system/systemd-network-generator.service",
         "etc/systemd/system/multi-user.target.wants/systemd-networkd.service":
         "/lib/systemd/system/systemd-networkd.service",
         "etc/systemd/system/multi-user.target.wants/ssh.service":
         "/lib/systemd/system/ssh.service",
         "etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service":
         "/lib/systemd/system/serial-getty@.service"}
# This host's addresses mean nothing to a guest.
LOCAL = re.compile(r"//(localhost|127\.|\[::1\])|^file:")
UNPACK = pathlib.Path(__file__).with_name("unpack.py")
# Its parameters: archive, overlay, image, program that unpacks, words of mke2fs. One process tree,
# so that fakeroot knows the owners that tar gave the files. Host keys are made anew by each system.
FILL = """set -e
tree=$(mktemp -d "$(dirname "$3")/tree.XXXXXX")
trap 'rm -rf --one-file-system "$tree"' EXIT
python3 -B "$4" "$1" "$tree"
cp --recursive --no-dereference --preserve=mode "$2/." "$tree"
rm -f "$tree"/etc/ssh/ssh_host_*
chmod 0755 "$tree"
image=$3
shift 4
PATH=$PATH:/usr/sbin:/sbin
mke2fs -d "$tree" "$@"
"""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What an image is made of. A stamp beside the image says the same of the present one."""

    kernel: str
    include: tuple
    size: int
    hostname: str
    keys: tuple

    def packages(self):
        return tuple(sorted({*PACKAGES, *self.include, f"linux-image-{self.kernel}"}))


def size(text):
    """Bytes of `2G`, `1500M`; whole mebibytes."""
    value = fields.parse_size(text) or 0
    if value < SMALLEST or value % MEBIBYTE:
        raise Misuse(f"--size {text}: a number with M or G, not below {SMALLEST // MEBIBYTE}M")
    return value


def default_keys():
    """The person's public ssh keys."""
    return sorted(pathlib.Path.home().glob(".ssh/id_*.pub"))


def read_keys(paths):
    """The lines of public keys. A private key given by mistake must not get into an image."""
    keys = []
    for path in paths:
        lines = [line for line in path.read_text(errors="replace").splitlines()
                 if line and not line.startswith("#")]
        for line in lines:
            if not KEY.fullmatch(line):
                raise Misuse(f"{path}: is no public ssh key (a file like ~/.ssh/id_ed25519.pub)")
        keys += lines
    return tuple(keys)


def wanted(options):
    """What the command line asks for, checked."""
    include = tuple(name for text in options.include for name in text.split(",") if name)
    for name in include:
        if not PACKAGE_NAME.fullmatch(name):
            raise Misuse(f"--include {name}: is no name of a package")
    if not HOST_NAME.fullmatch(options.hostname):
        raise Misuse(f"--hostname {options.hostname}: small letters, digits and - only")
    keys = () if options.no_ssh_key else read_keys(options.ssh_key or default_keys())
    return Wanted(options.kernel, include, size(options.size), options.hostname, keys)


def sources(targets):
    """Lines of sources.list, with the mirrors of this host's apt if a guest can reach them."""
    def mirror(label):
        found = archive.mirror(targets, label)
        return archive.DEFAULT_MIRRORS[label] if LOCAL.search(found) else found
    return [f"deb {mirror('Debian')} {CODENAME} main",
            f"deb {mirror('Debian')} {CODENAME}-updates main",
            f"deb {mirror('Debian-Security')} {CODENAME}-security main"]


def mmdebstrap_command(want, target, settings, targets):
    options = ["--variant=minbase", "--format=tar", f"--include={','.join(want.packages())}",
               '--aptopt=Apt::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
    options += [f"--aptopt={line.rstrip(';')}" for line in settings.splitlines()
                if not LOCAL.search(line)]
    return ["env", packages.ENGLISH, *archive.proxies(settings), "mmdebstrap", *options, CODENAME,
            target, *sources(targets)]


def run_told(command, log):
    """Runs mmdebstrap; what it does next is shown as a step, all it says goes into the log."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    with log.open("w") as record, subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout:
            record.write(line)
            doing = re.match(r"I: (?:running )?((?:apt-get update|downloading|extracting|installing"
                             r"|cleaning|creating).*)", line)
            if doing:
                step(f"guest: {doing[1].rstrip('.')}")
    if process.returncode != 0:
        reason = packages.apt_reason(log.read_text(errors="replace"))
        raise Failure(f"mmdebstrap failed with status {process.returncode} "
                      f"({places.shown(log)}); {reason}\n{log_tail(log)}")


def archive_path(want):
    """Archives of other packages are others."""
    mark = hashlib.sha256(" ".join(want.packages()).encode()).hexdigest()[:8]
    return places.GUEST / f"debian-{RELEASE}-{want.kernel}-{mark}.tar"


def make_archive(want, force):
    """Debian's packages installed, in a tar archive; kept for images to come."""
    target = archive_path(want)
    if target.exists() and not force:
        return target
    settings = archive.apt_settings()
    step(f"guest: installing Debian {RELEASE} into {places.shown(target)}; takes some minutes")
    # mmdebstrap takes the kind of archive from the name.
    partial = target.with_suffix(".partial.tar")
    try:
        run_told(mmdebstrap_command(want, partial, settings, archive.apt_targets()),
                 places.LOGS / "guest-debian.log")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def write_overlay(folder, want, root):
    """Files of this image alone, over those of guests/debian."""
    files = {path.relative_to(OVERLAY): path.read_text()
             for path in sorted(OVERLAY.rglob("*")) if path.is_file() and path.name != "README.md"}
    files |= {"etc/hostname": f"{want.hostname}\n",
              "etc/hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{want.hostname}\n::1\tlocalhost\n",
              "etc/fstab": f"UUID={root}\t/\text4\terrors=remount-ro\t0\t1\n"}
    if want.keys:
        files["root/.ssh/authorized_keys"] = "".join(f"{key}\n" for key in want.keys)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    for name, target in LINKS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    for secret in ("root", "root/.ssh"):
        if (folder / secret).is_dir():
            (folder / secret).chmod(0o700)


def fill(image, packed, overlay, partition, root):
    """Makes the file system in the image, at the partition's place."""
    # Tables of inodes are written now, not by the guest in its first minutes; the file is sparse.
    settings = f"offset={partition.start},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    words = ["-q", "-F", "-t", "ext4", "-U", str(root), "-L", "root", "-m", "1", "-E", settings,
             image, f"{partition.size // 1024}k"]
    command = ["sh", "-c", FILL, "fill", packed, overlay, image, UNPACK, *words]
    if os.geteuid() != 0:
        command[:0] = ["fakeroot"]
    log = places.LOGS / "guest-debian-image.log"
    with log.open("w") as record:
        status = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                                stdout=record, stderr=subprocess.STDOUT, check=False).returncode
    if status != 0:
        raise Failure(f"the file system could not be made ({places.shown(log)}); is --size enough?"
                      f"\n{log_tail(log)}")


def make_image(want, target, packed):
    step(f"guest: packing {places.shown(target)}, {want.size // MEBIBYTE} MiB")
    root = uuid.uuid4()
    partition = partitions.root_partition(want.size)
    with output.making(target) as image, \
            tempfile.TemporaryDirectory(dir=places.GUEST) as folder:
        overlay = pathlib.Path(folder) / "overlay"
        overlay.mkdir()
        write_overlay(overlay, want, root)
        # mke2fs wants a path with a folder.
        os.truncate(image, want.size)
        fill(pathlib.Path(image).absolute(), packed, overlay, partition, root)
        with open(image, "r+b") as file:
            partitions.write_gpt(file, want.size, partition)


def stamp_path(target):
    return target.with_name(f"{target.name}.json")


def stamp(want):
    return json.dumps(dataclasses.asdict(want), indent=1) + "\n"


def is_made(want, target):
    """Whether the image is there. It may hold a person's data, so it is not replaced unasked."""
    if not target.exists():
        return False
    try:
        made = stamp_path(target).read_text()
    except OSError:
        made = ""
    if made != stamp(want):
        raise Misuse(f"{places.shown(target)}: is there and was made with other options or by "
                     "hand; --force makes it anew and what is on it is lost, -o makes another")
    return True


def ensure(want, target, force=False):
    """The image, made unless it is there."""
    if not force and is_made(want, target):
        return target
    packages.ensure(NEEDS, () if os.geteuid() == 0 else NEEDS_OF_USERS)
    places.GUEST.mkdir(parents=True, exist_ok=True)
    places.LOGS.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with build.alone("guest-lock", "makes a guest"):
        if force or not is_made(want, target):
            make_image(want, target, make_archive(want, force))
            output.write(stamp_path(target), stamp(want))
    return target


def run(options):
    """Makes the image and prints where it is."""
    want = wanted(options)
    target = options.output.absolute() if options.output else places.GUEST_DEBIAN
    ensure(want, target, options.force)
    if not want.keys:
        step("guest: there is no ssh key (--ssh-key), so only the serial console leads in: user "
             "root, no password")
    print(places.shown(target))
    return 0


def show(options):
    """Prints what an image boots from."""
    packages.ensure(boot_files.NEEDS)
    found = boot_files.find(options.image)
    print(f"partition {found.partition.number}, kernel {found.kernel}, "
          f"initial RAM disk {found.initrd or 'none'}, {found.root}")
    return 0
