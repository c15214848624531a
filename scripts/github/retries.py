"""What is tried again at GitHub, for how long, and what is said when it fails."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus

import requests
import stamina
from github import GithubException, GithubRetry

from scripts.errors import UserError
from scripts.github.deadline import ExpiredError, within

MAX_RETRIES = 4
# Seconds; each wait is twice the one before.
FIRST_WAIT = 2.0
MAX_WAIT = 120.0
TIMEOUT = 30
# For one action, that is, for all its requests with their retries.
ACTION_LIMIT = 300.0
RETRIED = [HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)]


def of_requests() -> GithubRetry:
    """Return which requests the client sends again.

    A 403 is retried only where GitHub reports a rate limit, after the time it gives. A request that
    creates something is not: it may have succeeded although the answer failed.
    """
    return GithubRetry(
        total=MAX_RETRIES,
        backoff_factor=FIRST_WAIT / 2,
        max_rate_limit_wait=MAX_WAIT,
        secondary_rate_wait=MAX_WAIT / 2,
        status_forcelist=RETRIED,
        allowed_methods=("GET", "PATCH"),
        raise_on_status=False,
        retry_after_max=MAX_WAIT,
    )


def attempts() -> Iterable[AbstractContextManager[object]]:
    """Yield attempts at what can be done again: retry on server errors."""
    return stamina.retry_context(
        on=_is_server_error,
        attempts=MAX_RETRIES,
        timeout=None,
        wait_initial=FIRST_WAIT,
        wait_jitter=FIRST_WAIT,
        wait_max=MAX_WAIT,
    )


@contextmanager
def reporting(action: str, limit: float | None = None) -> Iterator[None]:
    """Turn GitHub's errors into one message that says what to do.

    Ends an action that takes more than `limit` seconds, by default `ACTION_LIMIT`.
    """
    seconds = limit or ACTION_LIMIT
    try:
        with within(seconds):
            yield
    except GithubException as error:
        detail = error.data.get("message", "") if isinstance(error.data, dict) else ""
        raise UserError(f"cannot {action} at GitHub: {_advice(error.status, detail)}") from None
    except requests.RequestException as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"cannot {action} at GitHub: {reason}. Run the job again.") from None
    except ExpiredError:
        raise UserError(
            f"cannot {action} at GitHub: no complete answer within {seconds:g} seconds."
            " Run the job again."
        ) from None


def _advice(status: int, detail: str) -> str:
    known: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: "the token is not valid",
        HTTPStatus.FORBIDDEN: "the token lacks a permission; see the workflow's permissions",
        HTTPStatus.NOT_FOUND: "not found, or the token has no access to it",
        HTTPStatus.UNPROCESSABLE_ENTITY: "the content was not accepted",
        HTTPStatus.TOO_MANY_REQUESTS: "too many requests; run the job again later",
    }
    reason = known.get(status, "server error; run the job again later")
    return f"{reason} ({status} {detail[:200]})".replace(" )", ")")


def _is_server_error(error: Exception) -> bool:
    return isinstance(error, GithubException) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
