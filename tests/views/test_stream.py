import threading

import pytest

from twin.views import stream as streams
from twin.views.stream import Feed, Stream


@pytest.fixture
def feed(head):
    made = Feed()
    made.begin(head)
    return made


@pytest.fixture
def stream(feed):
    return Stream("k", feed)


def collect(stream, unpack):
    """All messages of a stream that has ended."""
    found = []
    while not (found and found[-1][0]["meta"].get("last")):
        stream.want(len(found), lambda message: found.append(unpack(message)))
    return found


def test_every_frame_is_sent_once_and_in_order(feed, stream, shown, unpack):
    for frame in shown:
        feed.show(frame)
    feed.end()
    messages = collect(stream, unpack)[1:]
    firsts = [header["meta"]["first"] for header, _ in messages]
    counts = [header["meta"]["count"] for header, _ in messages]
    assert firsts[0] == 0
    assert counts[0] == streams.FIRST_CHUNK
    assert [a + n for a, n in zip(firsts, counts, strict=True)] == [*firsts[1:], len(shown)]
    assert [header["meta"]["last"] for header, _ in messages] == [False] * (len(messages) - 1) + [
        True
    ]


def test_chunks_stay_small(feed, stream, shown, unpack, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 60_000)
    for frame in shown:
        feed.show(frame)
    feed.end()
    counts = [header["meta"]["count"] for header, _ in collect(stream, unpack)[1:]]
    assert sum(counts) == len(shown)
    assert max(counts) < 20


def test_what_is_asked_too_early_is_sent_when_it_is_there(feed, stream, shown):
    got = []
    stream.want(1, got.append)
    assert got == []
    thread = threading.Thread(target=lambda: [feed.show(f) for f in shown[:2]])
    thread.start()
    thread.join()
    assert len(got) == 1


def test_a_page_may_ask_for_the_head_and_the_first_frames_before_there_are_any(head, shown, unpack):
    feed, found = Feed(), []
    stream = Stream("k", feed)
    for number in (0, 1, 1):
        stream.want(number, lambda message: found.append(unpack(message)))
    feed.begin(head)
    feed.show(shown[0])
    feed.flush(last=False)
    assert len(found) == 2
    assert found[1][0]["meta"]["count"] == 1


def test_a_page_that_asks_for_all_there_may_be_is_not_kept_waiting_for_it(feed, stream):
    for number in range(1, 1000):
        stream.want(number, lambda message: None)
    assert len(feed._wanted) == 2


def test_what_was_handed_over_is_forgotten(feed, stream, shown):
    got = []
    stream.want(0, got.append)
    stream.want(0, got.append)
    assert len(got) == 1


def test_a_run_that_is_stopped_ends_where_it_is(feed, stream, shown, unpack):
    for frame in shown[:3]:
        feed.show(frame)
    feed.end()
    messages = collect(stream, unpack)[1:]
    assert sum(header["meta"]["count"] for header, _ in messages) == 3
    assert messages[-1][0]["meta"]["last"]


def test_nothing_is_sent_of_a_run_that_never_began():
    feed = Feed()
    stream = Stream("k", feed)
    feed.end()
    got = []
    stream.want(0, got.append)
    assert got == []


def test_a_page_that_comes_later_gets_all_of_a_feed_that_is_kept(head, shown, unpack):
    feed = Feed(kept=True)
    feed.begin(head)
    first = Stream("a", feed)
    for frame in shown:
        feed.show(frame)
    feed.end()
    assert len(collect(first, unpack)) == len(collect(Stream("b", feed), unpack))


def test_what_all_pages_have_is_forgotten_when_no_other_will_come(head, shown, unpack):
    feed = Feed(kept=True)
    feed.begin(head)
    first, second = Stream("a", feed), Stream("b", feed)
    feed.show(shown[0])
    feed.end()
    collect(first, unpack)
    feed.release()
    assert len(collect(second, unpack)) == 2
    got = []
    second.want(0, got.append)
    assert got == []
