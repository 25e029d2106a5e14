"""What one server bears, and how a client is told that it asked for more."""

from dataclasses import dataclass

from tacit.errors import TacitError, positive


@dataclass(frozen=True)
class Limits:
    """Whatever grows with what clients send has a bound here.

    batch     samples that the encoder sees at once
    waiting   samples that may wait or be worked on; what comes beyond is refused at once
    samples   of one request
    body      bytes of one request
    held      bytes of all bodies, and as many of all that waits
    pixels    that the header of one image may claim; a request may claim `IMAGES` times as many
    seconds   until an answer, and again for what computes it not to have begun
    arriving  seconds in which a request must have arrived
    requests  at a time
    """

    batch: int = 64
    waiting: int = 2048
    samples: int = 2048
    body: int = 64 << 20
    held: int = 512 << 20
    pixels: int = 25_000_000
    seconds: float = 60.0
    arriving: float = 30.0
    requests: int = 1024

    def __post_init__(self) -> None:
        positive(**{name: getattr(self, name) for name in self.__dataclass_fields__})
        if self.waiting < self.batch:
            raise TacitError(f"waiting is {self.waiting} and a batch has {self.batch} samples; give at least as many.")


IMAGES = 16  # of the largest size, of one request
TOP = 1000  # hits of one search

TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Refused(TacitError):
    """One sentence to a client, with the status of HTTP and a code that a program can read.

    wait  seconds after which it is worth trying again; 0: it is not
    """

    def __init__(self, status: int, code: str, sentence: str, *, wait: int = 0, param: str | None = None):
        super().__init__(sentence)
        self.status, self.code, self.wait, self.param = status, code, wait, param

    @property
    def body(self) -> dict[str, dict[str, str | None]]:
        """As OpenAI's clients read it."""
        kind = TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}

    @property
    def headers(self) -> dict[str, str]:
        """Beside those of the content."""
        told = {"retry-after": str(self.wait)} if self.wait else {}
        return told | ({"www-authenticate": "Bearer"} if self.status == 401 else {})


def full(sentence: str) -> Refused:
    """There is no room at the moment."""
    return Refused(429, "queue_full", f"{sentence}; try again in a second.", wait=1)
