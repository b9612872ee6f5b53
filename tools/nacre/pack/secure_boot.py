# SPDX-License-Identifier: BSD-2-Clause
"""Signs for Secure Boot with the user's key: GRUB's image for the firmware, and all files that GRUB
reads for GRUB, which loads nothing else there. The key for the files is made for one medium: its
public half is in GRUB's image, the other is forgotten."""

import contextlib
import pathlib
import tempfile

from nacre import packages
from nacre.report import Failure, run_logged

NEEDS = ("gpg", "gpg-agent", "sbsigntool")
# What checks signatures of OpenPGP in GRUB, and the algorithms of the key below.
MODULES = ("gcry_dsa", "gcry_rsa", "gcry_sha256", "gcry_sha512", "pgp")
ENFORCE = "set check_signatures=enforce\n"
KEY_KIND = "rsa3072"


class Signer:
    """Of one medium; `key` and `certificate` are PEM files of what the firmware knows."""

    def __init__(self, key, certificate, folder):
        self.key, self.certificate, self.folder = key, certificate, folder
        self.public = folder / "public.gpg"
        self._gpg("--passphrase", "", "--quick-generate-key", "Nacre, this medium", KEY_KIND,
                  "sign", "never")
        self._gpg("--output", self.public, "--export")

    def _gpg(self, *words):
        run_logged(["gpg", "--batch", "--homedir", self.folder, *words], "secure-boot-gpg")

    def core_words(self):
        """What grub-mkimage is to do for the core: no shim is asked for files."""
        return ["--disable-shim-lock", "--pubkey", self.public]

    def sign_files(self, folder):
        """A signature beside each file."""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            self._gpg("--detach-sign", path)

    def sign_image(self, path):
        run_logged(["sbsign", "--key", self.key, "--cert", self.certificate, "--output", path,
                    path], "secure-boot-sbsign")


def check(files):
    """Whether the (key, certificate) are there."""
    for path in files:
        if not path.is_file():
            raise Failure(f"--sign: {path}: there is no such file")


@contextlib.contextmanager
def signer(files):
    """A signer with the (key, certificate), None without them."""
    if not files:
        yield None
        return
    packages.ensure(NEEDS)
    with tempfile.TemporaryDirectory(prefix="nacre-sign-") as directory:
        yield Signer(*(path.absolute() for path in files), pathlib.Path(directory))
