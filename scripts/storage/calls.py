"""Calls for many objects, a few at the same time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from scripts.progress import Bar

Result = TypeVar("Result")


def at_once(work: Callable[[str], Result], names: Sequence[str], jobs: int) -> Iterator[Result]:
    """Yield the result of `work` for each name, in order, with at most `jobs` concurrent calls.

    With many more, servers refuse connections. No call is started after an error.
    """
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(work, names)


def attempts(
    work: Callable[[str], Result], names: Sequence[str], jobs: int, words: str
) -> tuple[dict[str, Result], dict[str, BaseException]]:
    """Call `work` for each of `names`, described by `words`; return results and errors by name.

    Raises `TimeoutError` at once, because each call would wait as long.
    """
    results, errors = dict[str, Result](), dict[str, BaseException]()

    def attempt(name: str) -> None:
        try:
            results[name] = work(name)
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - each client raises its own
            errors[name] = error

    if names:
        for _ in Bar(at_once(attempt, names, jobs), desc=words, total=len(names)):
            pass
    return results, errors
