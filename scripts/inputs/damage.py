"""Damage in image files that Pillow accepts, and shows as gray or shifted areas."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator

import simplejpeg

NO_END = "its end is missing"
# How Pillow says that.
TRUNCATED = "image file is truncated"
NO_PICTURE = "it holds no picture"
WRONG_CHECKSUM = "a checksum in it is wrong"
# Markers of JPEG: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1
START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
APPLICATION, COMMENT = range(0xE0, 0xF0), 0xFE
CMYK = 4
# How libjpeg's warnings of damage begin. Its errors are Pillow's errors too.
WARNINGS = ("Corrupt JPEG data", "Premature end", "Inconsistent progression", "Invalid SOS")
# Cameras fill the end of the data: libjpeg warns of it, but has read the whole picture.
FILLED = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")
# How many bytes of what looks like filling can belong to the picture, and how many of a filling can
# be any; of more, a quarter is alike.
MAX_ALIKE, MAX_FILLING = 64, 8
SCAN, END = b"\xff\xda", b"\xff\xd9"
HEADER_OF_CHUNK, CHECKSUM = 8, 4


def of_jpeg(content: bytes) -> str:
    """Return what is damaged in a JPEG, "" if nothing is.

    libjpeg goes on where data is missing or wrong, and warns; Pillow hides its warnings. So all of
    the data is decoded once more, at an eighth of the size, which takes a fraction of the time.
    """
    found = _for_check(content)
    if isinstance(found, str):
        return found
    stream, components = found
    warning = _warning(stream, components)
    filled = FILLED.fullmatch(warning)
    if not filled:
        return _reason(warning)
    return _of_filled(stream, components, int(filled[1]))


def of_png(content: bytes) -> str:
    """Return what is damaged in a PNG, "" if it is complete and its checksums are right."""
    at = len(b"\x89PNG\r\n\x1a\n")
    view = memoryview(content)
    while at + HEADER_OF_CHUNK + CHECKSUM <= len(content):
        end = at + HEADER_OF_CHUNK + int.from_bytes(view[at : at + 4])
        if end + CHECKSUM > len(content):
            break
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + CHECKSUM]):
            return WRONG_CHECKSUM
        if content.startswith(b"IEND", at + 4):
            return ""
        at = end + CHECKSUM
    return NO_END


def of_webp(content: bytes) -> str:
    """Return what is damaged in a WebP, "" if it is as long as it says."""
    return NO_END if int.from_bytes(content[4:8], "little") + 8 > len(content) else ""


def _warning(stream: bytes, components: int) -> str:
    """Return the first warning of libjpeg, "" if there is none."""
    try:
        colors = "CMYK" if components == CMYK else "GRAY"
        simplejpeg.decode_jpeg(stream, colors, min_height=1, min_width=1)
    except ValueError as error:
        return str(error) if str(error).startswith(WARNINGS) else ""
    return ""


def _reason(warning: str) -> str:
    if "Premature end of JPEG" in warning:
        return NO_END
    return warning.removeprefix("Corrupt JPEG data: ")


def _of_filled(stream: bytes, components: int, unused: int) -> str:
    """Return what is damaged where libjpeg has not used the last bytes of the data.

    Cameras fill the end, and nothing is wrong. But where a part before it is damaged, the rest is
    read as if it were shorter; and an end that was overwritten with zeros is read as colors.
    """
    end = stream.find(END, stream.find(SCAN))
    data = stream[:end]
    filling = data[-unused:]
    alike = len(data) - len(data.rstrip(data[-1:]))
    if alike > unused + MAX_ALIKE:
        return "the end of its data is empty"
    [(_, most)] = Counter(filling).most_common(1)
    if unused > MAX_FILLING and most * 4 < unused:
        return f"{unused:,} bytes of its data do not belong to the picture"
    # Without it, there can be another warning. A few bytes may be left, as libjpeg reads ahead.
    warning = _warning(data[:-unused] + END, components)
    return "" if FILLED.fullmatch(warning) else _reason(warning)


def _for_check(content: bytes) -> tuple[bytes, int] | str:
    """Return the data of a JPEG without its metadata, and its number of components; or a problem.

    libjpeg tells its first warning only. It would be that of unknown metadata, or of bytes between
    the segments, as some phones write them.
    """
    segments, components = [content[:2]], 0
    for marker, start, end in _segments(content):
        if marker == END_OF_IMAGE:
            return NO_PICTURE
        if marker == START_OF_SCAN:
            return b"".join([*segments, content[start:]]), components
        if marker in START_OF_FRAME:
            components = content[start + 9] if end > start + 9 else 0
        if marker not in APPLICATION and marker != COMMENT:
            segments.append(content[start:end])
    return NO_END


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, start and end of each segment, to the first that has no length."""
    at = 2
    while (at := content.find(b"\xff", at)) >= 0 and at + 4 <= len(content):
        marker = content[at + 1]
        if marker in (0x00, 0xFF) or marker in WITHOUT_LENGTH:
            # Bytes that fill, or mean nothing here.
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        if marker != END_OF_IMAGE and end > len(content):
            return
        yield marker, at, end
        at = end
