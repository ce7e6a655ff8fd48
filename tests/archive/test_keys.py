"""The archive's key: made once, guarded, never silently replaced."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from archive.errors import ArchiveError
from archive.keys import ensure_keys, load_keys, load_public, public_file

from .builders import logins, seal, store
from .corner import ROOT


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """The first start makes the key (0600) and its public half; the second reads the same."""
    file = tmp_path / "keys" / "archive.pem"

    first = ensure_keys(file, tmp_path / "archive")
    again = ensure_keys(file, tmp_path / "archive")

    assert again.key_id == first.key_id
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(load_public(public_file(file))) == [first.key_id]


def test_many_first_starts_at_once_agree(tmp_path: Path) -> None:
    """Of processes that all find no key, one makes it and all use that."""
    program = (
        "import sys; from pathlib import Path; from archive.keys import ensure_keys;"
        "print(ensure_keys(Path(sys.argv[1]) / 'k.pem', Path(sys.argv[1]) / 'a').key_id)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    children = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]

    said = {child.communicate(timeout=60)[0] for child in children}

    assert len(said) == 1
    assert said == {load_keys(tmp_path / "k.pem").key_id + "\n"}


def test_a_lost_key_beside_segments_is_not_replaced(tmp_path: Path) -> None:
    """A new key could read no old account, so the archiver stops and says what to bring back."""
    where = store(tmp_path)
    seal(where, logins(0, 3))
    file = tmp_path / "keys" / "archive.pem"
    file.unlink()

    with pytest.raises(ArchiveError, match="put the key back"):
        ensure_keys(file, where.root)
    assert not file.exists()


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    """The message names the file, its mode and the way out."""
    file = tmp_path / "archive.pem"
    ensure_keys(file, tmp_path)
    file.chmod(0o640)

    with pytest.raises(ArchiveError, match=r"archive\.pem: mode 0640 .* chmod 600"):
        load_keys(file)


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff\x00"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever stands in the file, the message says that it is no key."""
    file = tmp_path / "archive.pem"
    file.write_bytes(content)
    file.chmod(0o600)

    with pytest.raises(ArchiveError, match=r"archive\.pem"):
        load_keys(file)
    with pytest.raises(ArchiveError, match=r"archive\.pem"):
        load_public(file)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Only Ed25519 signs seals."""
    file = tmp_path / "archive.pem"
    other = generate_private_key(SECP256R1())
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)

    with pytest.raises(ArchiveError, match="not an Ed25519 key"):
        load_keys(file)


def test_a_replaced_key_leaves_the_former_public_one(tmp_path: Path) -> None:
    """Seals of a former key stay verifiable: its public half is kept in the file."""
    file = tmp_path / "archive.pem"
    former = ensure_keys(file, tmp_path)
    file.unlink()

    latter = ensure_keys(file, tmp_path)

    assert list(load_public(public_file(file))) == [former.key_id, latter.key_id]


def test_a_public_key_that_is_missing_is_named(tmp_path: Path) -> None:
    """Verify without a key says which file it wanted."""
    with pytest.raises(ArchiveError, match=r"none\.pem: .* --public-key"):
        load_public(tmp_path / "none.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="asks the openssl command")
def test_openssl_agrees_with_a_signature(tmp_path: Path) -> None:
    """An auditor can check a seal without our program: key file and signature are standard."""
    file = tmp_path / "archive.pem"
    keys = ensure_keys(file, tmp_path)
    (tmp_path / "body").write_bytes(b"{}")
    (tmp_path / "sig").write_bytes(keys.sign(b"{}"))

    asked = (
        f"openssl pkeyutl -verify -rawin -pubin -inkey {public_file(file)} -in body -sigfile sig"
    )
    run = subprocess.run(asked.split(), cwd=tmp_path, check=False, capture_output=True, text=True)

    assert "Signature Verified Successfully" in run.stdout, run.stderr
