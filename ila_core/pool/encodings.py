"""How the text of a file is encoded, where that is not UTF-8."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from ila_core.errors import UsageError
from ila_core.files import reading_errors
from ila_core.pool.packing import HEAD, Bound, Damaged, compression_of, unpacked

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
CANDIDATES = {
    "gb18030": "simplified Chinese, GBK", "big5": "traditional Chinese",
    "cp932": "Japanese, Shift JIS", "euc_jp": "Japanese", "cp949": "Korean, EUC-KR",
    "cp1252": "Western Europe", "cp1250": "Central Europe", "cp1251": "Cyrillic", "cp1253": "Greek",
    "cp1254": "Turkish", "cp1255": "Hebrew", "cp1256": "Arabic", "cp874": "Thai",
    "koi8_r": "Cyrillic",
}  # fmt: skip
"""The encodings that exports of tables and older programs come in, and what is written in them."""
_LATIN = frozenset(("cp1252", "cp1250", "cp1254"))
"""These differ in a few letters, which a short text does not tell apart: the commonest is taken."""


def check_encoding(name: str) -> str:
    """An encoding as Python names it. Raises UsageError for what is none of texts' encodings.

    >>> check_encoding("GBK")
    'gbk'
    """
    try:
        known = codecs.lookup(name).name
        b" ".decode(known, "replace")  # or it is of bytes, such as hex
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--encoding is {name!r}, which is no encoding of texts that Python knows; for example "
            "gb18030, big5, shift_jis, euc_kr, cp1252, cp1251, utf-16."
        ) from error
    return known.removesuffix("-sig")  # a mark at the beginning is passed over anyway


def encoding_of(head: bytes) -> str:
    """How the text is encoded that begins with these bytes.

    UTF-16 is known by its mark or by its zeros. UTF-8 it is unless most lines, and several
    characters, are not: then the likeliest of the `CANDIDATES`, or UTF-8 where none will do.

    >>> encoding_of("question,answer\\n富士山の高さは?,三千七百七十六\\n".encode("cp932"))
    'cp932'
    """
    wide = next((name for mark, name in _BOMS if head.startswith(mark)), None) or _wide(head)
    if wide:
        return wide
    if b"\0" in head or not _is_foreign(head):
        return "utf-8"
    return _likeliest(head) or "utf-8"


def likely_encodings(head: bytes) -> list[str]:
    """The `CANDIDATES` in which text that begins with these bytes could be, the likeliest first.

    >>> likely_encodings("富士山の高さは?,三千七百七十六メートル\\n".encode("cp932"))[0]
    'cp932'
    """
    if head.isascii():
        return []
    guess = _likeliest(head)
    could_be = (name for name in CANDIDATES if _decodes(head, name))
    return list(dict.fromkeys([*([guess] if guess else []), *could_be]))


def encodings_of(path: Path) -> list[str]:
    """The `likely_encodings` of a file, plain or packed; IlaError where it cannot be read."""
    with reading_errors(path), path.open("rb") as raw:
        compression = compression_of(raw.read(4))
        raw.seek(0)
        try:
            return likely_encodings(unpacked(raw, compression, Bound(1)).read1(HEAD))
        except Damaged:
            return []


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether these bytes are text in an encoding; a letter may be cut off at their end."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of the first letters, which are Latin, is zero."""
    first = head[: min(8, len(head) // 2 * 2)]
    if len(first) < 2:
        return None
    low, high = first[::2], first[1::2]
    if not any(high) and all(low):
        return "utf-16-le"
    return "utf-16-be" if not any(low) and all(high) else None


def _is_foreign(head: bytes) -> bool:
    """Whether most lines, and more characters than are sound, are not UTF-8."""
    text = head[: head.rfind(b"\n") + 1 or None].decode("utf-8", "surrogateescape")
    if text.isascii():
        return False
    escaped = sum("\udc80" <= sign <= "\udcff" for sign in text)
    sound = sum(sign > "\x7f" for sign in text) - escaped
    if escaped < 2 or escaped <= 2 * sound:
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    bad = sum(any("\udc80" <= sign <= "\udcff" for sign in line) for line in lines)
    return 2 * bad > max(1, len(lines) - 1)  # a header is ASCII


def _likeliest(head: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if len(head) >= HEAD:
        head = _whole(head)
    matches = list(from_bytes(head, cp_isolation=list(CANDIDATES)))
    if not matches:
        return None
    # Short Japanese may pass for rare syllables of Korean; kana are sure signs.
    japanese = (match.encoding for match in matches if _is_japanese(str(match)))
    best = next(japanese, matches[0].encoding)
    return "cp1252" if best in _LATIN else best


def _whole(head: bytes) -> bytes:
    """A text that is cut off, without the letter that may be cut in two, which would spoil it.

    Bytes below 0x30 are a character by themselves in each of the `CANDIDATES`.
    """
    end = re.match(rb"(?s).*[\x00-\x2f]", head)
    return end[0] if end else head


def _is_japanese(text: str) -> bool:
    foreign = [sign for sign in text if sign > "\x7f"]
    return sum("\u3040" <= sign <= "\u30ff" for sign in foreign) > len(foreign) / 5
