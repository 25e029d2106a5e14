"""Signals ask for a stop; they do not kill."""

import os
import signal
import threading

import pytest

from tacit.training.stopping import Interrupted, Stopping


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks(number):
    with Stopping() as stopping:
        assert not stopping.asked
        send(number)
        assert stopping.asked


def test_a_second_interrupt_stops_at_once():
    with Stopping() as stopping:
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        assert stopping.asked


def test_a_second_termination_still_only_asks():
    with Stopping() as stopping:
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert stopping.asked


def test_handlers_are_given_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), Stopping():
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nothing_is_touched():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with Stopping() as stopping:
            seen.append((stopping.asked, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert seen == [(False, before)]


def test_interrupted_says_where():
    assert isinstance(Interrupted("step 30"), KeyboardInterrupt)
    assert Interrupted("step 30").where == "step 30" and "step 30" in str(Interrupted("step 30"))
