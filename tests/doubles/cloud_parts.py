"""What the stand-ins share."""

from collections.abc import Sequence


class CommandError(Exception):
    """A command failed; its text goes to stderr, `out` to stdout."""

    def __init__(self, message: str, out: str = "") -> None:
        super().__init__(message)
        self.out = out


def parsed(
    words: Sequence[str], *, flags: Sequence[str] = ()
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words that are no options, and the values of each option.

    Options in `flags` have no value. A value follows its option, or an equals sign.
    """
    plain, options = list[str](), dict[str, list[str]]()
    left = [*words]
    while left:
        word = left.pop(0)
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, has_value, value = word.partition("=")
        if name in flags:
            options.setdefault(name, [])
        elif has_value and name.startswith("--"):
            options.setdefault(name, []).append(value)
        else:
            options.setdefault(word, []).append(left.pop(0))
    return plain, options


def refuse_others(options: dict[str, list[str]], *known: str) -> None:
    if unknown := options.keys() - {*known}:
        raise CommandError(f"unknown flag: {sorted(unknown)[0]}")
