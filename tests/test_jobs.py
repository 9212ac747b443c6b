"""The queue of jobs: order, place, ownership, grace, bounds; with works that do nothing but wait."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from awaken.types import RequestError
from awaken.ui.jobs import turns
from awaken.ui.jobs.client import PER_ADDRESS, PER_SESSION, address_of, greediest
from awaken.ui.jobs.events import as_event
from awaken.ui.jobs.job import Job, QueueFull, is_token
from awaken.ui.jobs.manager import ARRIVAL, JobManager
from tests import aside

ANNE, BERT, CARL = ("a" * 43, "b" * 43, "c" * 43)


@dataclass
class Work:
    """A generator whose moments a test lets go one by one; ``closed`` once it has ended."""

    moments: list = field(default_factory=lambda: [1, 2, 3])
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    closed: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def __call__(self):
        self.begun.set()
        try:
            for moment in self.moments:
                assert self.go.acquire(timeout=60)
                if isinstance(moment, Exception):
                    raise moment
                yield moment
        finally:
            self.closed.set()

    def release(self, count: int = 1) -> None:
        self.go.release(count)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def jobs(clock):
    return JobManager(pulse=10.0, clock=clock)


def follow(jobs: JobManager, job: Job, until=lambda sight: False, act=None) -> list:
    """Watch a job to its end, or until a sight that ``until`` likes; ``act`` is called at each."""

    async def watching():
        sights = []
        async with aclosing(jobs.watch(job)) as seen:
            async for sight in seen:
                sights.append(sight)
                if act:
                    act(sight)
                if until(sight):
                    break
        return sights

    return aside.run(asyncio.wait_for(watching(), 20))


def test_jobs_run_one_after_another_in_order(jobs):
    works = [Work() for _ in range(3)]
    first, second, third = (
        jobs.submit(owner, "run", work)
        for owner, work in zip((ANNE, BERT, CARL), works, strict=True)
    )
    assert works[0].begun.wait(5)
    ahead = [follow(jobs, job, until=lambda s: True)[0].ahead for job in (second, third)]
    assert ahead == [1, 2]
    assert not works[1].begun.is_set() and not works[2].begun.is_set()
    for work, following in zip(works, [*works[1:], None], strict=True):
        assert work.begun.wait(5)
        assert following is None or not following.begun.is_set(), "one after the other"
        work.release(3)
    assert [s.state for s in follow(jobs, third)][-1] == "done"
    assert [job.state for job in (first, second, third)] == ["done"] * 3
    assert [follow(jobs, job)[-1].moment for job in (first, second, third)] == [3, 3, 3]


def _token(number: int) -> str:
    return f"{number:043d}"


@pytest.mark.parametrize(
    ("flood", "newcomer"),
    [
        (lambda i: ("1.1.1.1", str(i)), ("2.2.2.2", "a")),  # many sessions of another address
        (lambda i: ("1.1.1.1", "one"), ("1.1.1.1", "a")),  # one session beside us
        (lambda i: ("1.1.1.1", "", str(i)), ("1.1.1.1", "a")),  # calls without a session
        (lambda i: ("1.1.1.1", "forwarded", str(i), "b"), ("1.1.1.1", "a")),  # forged addresses
        (lambda i: ("9.9.9.9", "forwarded", "3.3.3.3", str(i), "b"),
         ("9.9.9.9", "forwarded", "4.4.4.4", "a")),  # forged before an honest proxy
    ],
)  # fmt: skip
def test_a_newcomer_waits_for_two_runs_at_most_whoever_else_is_there(jobs, flood, newcomer):
    begun = []

    def work(name):
        begun.append(name)
        yield name

    gate = Work()
    first = jobs.submit(_token(999), "run", gate, client=flood(0))
    assert gate.begun.wait(5)
    for i in range(PER_SESSION):
        jobs.submit(_token(i), "run", lambda i=i: work(i), client=flood(i))
    mine = jobs.submit(ANNE, "run", lambda: work("mine"), client=newcomer)
    ahead = follow(jobs, mine, until=lambda sight: True)[0].ahead
    gate.release(3)
    follow(jobs, mine)
    assert ahead <= 2 and begun.index("mine") <= 1 and first.state == "done"


def test_turns_go_round_and_keep_each_client_s_own_order(jobs):
    begun, gate = [], Work([1])
    jobs.submit(_token(99), "run", gate, client=("z", "z"))
    assert gate.begun.wait(5)

    def work(name):
        begun.append(name)
        yield name

    names = ["a1", "a2", "a3", "b1", "b2", "c1"]
    works = [
        jobs.submit(_token(i), "run", lambda name=name: work(name), client=(name[0], "s"))
        for i, name in enumerate(names)
    ]
    gate.release()
    for job in works:
        follow(jobs, job)
    assert begun == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_each_client_has_a_bound_and_others_still_have_room(jobs):
    gate = Work()
    jobs.submit(_token(999), "run", gate, client=("x", "s"))
    assert gate.begun.wait(5)
    for i in range(PER_SESSION):
        jobs.submit(_token(i), "run", Work(), client=("x", "s"))
    with pytest.raises(QueueFull):
        jobs.submit(_token(500), "run", Work(), client=("x", "s"))
    for i in range(PER_SESSION, PER_ADDRESS):
        jobs.submit(_token(i), "run", Work(), client=("x", str(i)))
    with pytest.raises(QueueFull):
        jobs.submit(_token(500), "run", Work(), client=("x", "t"))
    assert jobs.submit(ANNE, "run", Work(), client=("y", "s")).live
    gate.release(3)


def test_pictures_that_wait_are_bounded_for_one_address_and_for_all(jobs):
    gate, half = Work(), turns.MAX_BYTES // 2
    jobs.submit(_token(999), "run", gate, client=("x", "s"))
    assert gate.begun.wait(5)
    jobs.submit(ANNE, "run", Work(), client=("x", "s"), size=half)
    with pytest.raises(QueueFull):
        jobs.submit(BERT, "run", Work(), client=("x", "t"), size=1)
    jobs.submit(BERT, "run", Work(), client=("y", "s"), size=half)
    with pytest.raises(QueueFull):
        jobs.submit(CARL, "run", Work(), client=("z", "s"), size=1)
    gate.release(3)


def test_what_one_client_has_ended_does_not_drive_out_another_s(clock):
    jobs = JobManager(kept=8, clock=clock)
    follow(jobs, jobs.submit(ANNE, "run", lambda: iter([1]), client=("y", "s")))
    for i in range(30):
        follow(jobs, jobs.submit(_token(i), "run", lambda: iter([1]), client=("x", str(i))))
    assert jobs.find(ANNE, "run") and jobs.find(_token(29), "run")
    assert jobs.find(_token(0), "run") is None


def test_a_client_is_its_address_and_what_each_proxy_wrote_down_nearest_first():
    def scope(peer, *forwarded):
        headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
        return {"client": (peer, 1), "headers": headers}

    assert address_of(scope("1.2.3.4")) == ("1.2.3.4",)
    assert address_of(scope("::ffff:1.2.3.4")) == ("1.2.3.4",)
    one, two = (address_of(scope(f"2001:db8::{i}:{i}")) for i in (1, 2))
    assert one == two  # one subscriber
    proxied = address_of(scope("10.0.0.1", "forged, 5.6.7.8, 10.0.0.2"))
    assert proxied == ("10.0.0.1", "forwarded", "10.0.0.2", "5.6.7.8", "forged")
    assert address_of(scope("10.0.0.1", "a", "b")) == ("10.0.0.1", "forwarded", "b", "a")
    many = address_of(scope("10.0.0.1", ",".join(f"{i}" for i in range(1000)), "x" * 10_000))
    assert len(many) <= 5 and max(map(len, many)) <= 64
    assert address_of({"client": None, "headers": []}) == ("",)


def test_the_greediest_gives_way_first():
    held = {"a": ("x", "1"), "b": ("y", "1"), "c": ("y", "2"), "d": ("y", "2")}
    assert greediest(held) == "c"


def test_a_viewer_sees_the_queue_move_and_then_every_moment_or_the_last(jobs):
    busy, mine = Work([1]), Work([1, 2])
    jobs.submit(ANNE, "run", busy)
    job = jobs.submit(BERT, "run", mine)

    def act(sight):
        if sight.state == "waiting":
            busy.release()
        else:
            mine.release()

    sights = follow(jobs, job, act=act)
    assert sights[0].state == "waiting" and sights[0].ahead == 1
    assert sights[-1].state == "done" and sights[-1].moment == 2
    fresh = [s.moment for s in sights if s.news]
    assert fresh in ([1, 2], [2])


def test_whoever_comes_late_gets_the_whole(jobs):
    work = Work([{"a": 1}, {"b": 2}, {"c": 3}])
    job = jobs.submit(ANNE, "run", work, merge=lambda old, new: old | new)
    work.release(3)
    assert work.closed.wait(5)
    assert follow(jobs, job)[-1].moment == {"a": 1, "b": 2, "c": 3}


def test_a_job_outlives_its_viewer(jobs, clock):
    work = Work()
    job = jobs.submit(ANNE, "run", work)
    follow(jobs, job, until=lambda s: True)
    clock.now += jobs.grace - 1
    work.release(3)
    assert work.closed.wait(5)
    assert follow(jobs, jobs.find(ANNE, "run"))[-1].moment == 3


def test_a_job_that_nobody_watches_is_stopped_and_frees_the_worker(jobs, clock):
    work, next_one = Work(list(range(100))), Work([7])
    job = jobs.submit(ANNE, "run", work)
    assert work.begun.wait(5)
    follow(jobs, job, until=lambda s: True)
    clock.now += jobs.grace
    waiting = jobs.submit(BERT, "run", next_one)
    assert job.state == "left"
    work.release()  # a step in flight is waited for
    assert work.closed.wait(5)
    next_one.release()
    assert follow(jobs, waiting)[-1].moment == 7


def test_a_waiting_job_that_nobody_watches_loses_its_place(jobs, clock):
    busy = Work()
    jobs.submit(ANNE, "run", busy)
    assert busy.begun.wait(5)
    left = jobs.submit(BERT, "run", Work())
    watched = jobs.submit(CARL, "run", Work())

    def act(sight):
        clock.now += 2 * (jobs.grace + ARRIVAL)
        jobs.find(CARL, "run")

    sight = follow(jobs, watched, until=lambda s: s.ahead == 1, act=act)[-1]
    assert left.state == "left" and sight.state == "waiting"
    busy.release(3)


def test_a_caller_without_grace_takes_the_work_along(jobs):
    work = Work(list(range(100)))
    job = jobs.submit(ANNE, "api", work, grace=0)
    assert work.begun.wait(5)
    follow(jobs, job, until=lambda s: s.live)
    assert job.state == "left"
    work.release()
    assert work.closed.wait(5)


def test_stop_is_the_owners_alone(jobs):
    work = Work()
    job = jobs.submit(ANNE, "run", work)
    assert work.begun.wait(5)
    for other in (BERT, "", "a", "a" * 42, None):
        assert not jobs.stop(other, "run")
        assert jobs.find(other, "run") is None
    assert not jobs.stop(ANNE, "sweep")
    assert job.live
    assert jobs.stop(ANNE, "run")
    assert not jobs.stop(ANNE, "run")
    work.release()
    assert work.closed.wait(5)
    assert job.state == "stopped" and job.version == 0  # the moment in flight was not shown


def test_stop_while_waiting(jobs):
    busy, never = Work(), Work()
    jobs.submit(ANNE, "run", busy)
    assert busy.begun.wait(5)
    job = jobs.submit(BERT, "run", never)
    sights = follow(jobs, job, act=lambda s: jobs.stop(BERT, "run"))
    assert [s.state for s in sights] == ["waiting", "stopped"]
    busy.release(3)
    last = jobs.submit(CARL, "run", Work([]))
    assert follow(jobs, last)[-1].state == "done"
    assert not never.begun.is_set()


def test_asking_again_replaces_ones_own_job_at_that_place_only(jobs):
    run, sweep = Work(), Work()
    first = jobs.submit(ANNE, "run", run)
    other = jobs.submit(ANNE, "sweep", sweep)
    theirs = jobs.submit(BERT, "run", Work([]))
    second = jobs.submit(ANNE, "run", Work([]))
    assert (first.state, other.state, theirs.state) == ("stopped", "waiting", "waiting")
    for work in (run, sweep):
        work.release(3)
    assert follow(jobs, second)[-1].state == "done"
    assert other.state == theirs.state == "done"


def test_a_full_queue_says_when_to_come_again(clock):
    jobs = JobManager(max_waiting=2, clock=clock)
    works = [Work([1]) for _ in range(3)]
    held = [jobs.submit(f"{i}" * 32, "run", work, seconds=90) for i, work in enumerate(works[:1])]
    assert works[0].begun.wait(5)
    held += [jobs.submit(f"{i + 1}" * 32, "run", work) for i, work in enumerate(works[1:])]
    with pytest.raises(QueueFull, match="2 runs are waiting already. Try again in about 2 min"):
        jobs.submit(ANNE, "run", Work())
    for work in works:
        work.release()
    assert follow(jobs, held[-1])[-1].state == "done"
    jobs.submit(ANNE, "run", Work([]))


def test_ended_jobs_are_kept_in_bounds(clock):
    jobs = JobManager(kept=3, kept_seconds=60, clock=clock)
    owners = [f"{i:032}" for i in range(6)]
    for owner in owners:
        follow(jobs, jobs.submit(owner, "run", Work([])))
    known = [owner for owner in owners if jobs.find(owner, "run")]
    assert known == owners[-3:]
    assert all(jobs.find(owner, "run").work is None for owner in known)  # nor what it held
    clock.now += 61
    assert not any(jobs.find(owner, "run") for owner in owners)
    assert not jobs._jobs and not jobs._running and not jobs._queue


def test_the_wait_is_what_the_jobs_ahead_are_expected_to_take(clock):
    jobs = JobManager(grace=1000, clock=clock)
    busy = Work([1])
    jobs.submit(ANNE, "run", busy, seconds=10)
    assert busy.begun.wait(5)
    clock.now += 5
    behind = jobs.submit(BERT, "run", Work([]), seconds=10)
    last = jobs.submit(CARL, "run", Work([]), seconds=10)
    waits = [follow(jobs, j, until=lambda s: True)[0].wait for j in (behind, last)]
    assert waits == [5, 15]
    busy.release()
    follow(jobs, last)


def test_what_a_running_job_says_of_itself_counts_more(clock):
    @dataclass
    class Moment:
        left: float

    jobs, busy = JobManager(clock=clock), Work([Moment(4.0), 2])
    first = jobs.submit(ANNE, "run", busy, seconds=100)
    behind = jobs.submit(BERT, "run", Work([]), seconds=10)
    busy.release()
    follow(jobs, first, until=lambda s: s.news)
    clock.now += 1
    assert follow(jobs, behind, until=lambda s: True)[0].wait == 3.0
    busy.release()
    follow(jobs, behind)


def test_with_several_engines_the_first_that_is_free_counts(clock):
    @dataclass
    class Moment:
        left: float | None = None
        waits: bool = False

    def wait(job):
        return follow(jobs, job, until=lambda s: True)[0].wait

    jobs = JobManager(2, grace=1000, clock=clock)
    long, short = Work([Moment(90.0), 2]), Work([Moment(20.0), Moment(waits=True), 3])
    running = [jobs.submit(owner, "run", w) for owner, w in ((ANNE, long), (BERT, short))]
    for work, job in zip((long, short), running, strict=True):
        work.release()
        follow(jobs, job, until=lambda s: s.news)
    next_one = jobs.submit(CARL, "run", Work([]), seconds=50)
    last = jobs.submit("d" * 43, "run", Work([]), seconds=50)
    assert [wait(next_one), wait(last)] == [20, 70]
    running[1].seconds = 30
    short.release()  # its engine is lost: it is one more in the queue of the other
    follow(jobs, running[1], until=lambda s: s.moment.waits)
    assert [wait(next_one), wait(last)] == [120, 170]
    long.release(), short.release()
    assert [follow(jobs, job)[-1].state for job in (next_one, last)] == ["done"] * 2


def test_a_failure_is_the_jobs_own(jobs):
    error = RequestError("A sentence.")
    bad, good = Work([1, error]), Work([5])
    jobs.submit(ANNE, "run", bad)
    job = jobs.submit(BERT, "run", good)
    bad.release(2)
    good.release()
    assert follow(jobs, job)[-1].moment == 5
    assert follow(jobs, jobs.find(ANNE, "run"))[-1].error is error


def test_many_wait_without_threads(clock):
    jobs = JobManager(clock=clock)
    works = [Work([i]) for i in range(121)]
    held = [jobs.submit(f"{i:032}", "run", work) for i, work in enumerate(works)]

    async def crowd():
        before = threading.active_count()

        async def one(job):
            return [sight async for sight in jobs.watch(job)][-1].moment

        tasks = [asyncio.create_task(one(job)) for job in held]
        await asyncio.sleep(0)
        assert threading.active_count() == before
        for work in works:
            work.release()
        return await asyncio.gather(*tasks)

    assert aside.run(asyncio.wait_for(crowd(), 30)) == list(range(121))


def test_inline_the_work_is_done_by_whoever_watches(clock):
    jobs, work = JobManager(inline=True, clock=clock), Work([1, 2, 3])
    job = jobs.submit(ANNE, "run", work)
    assert not work.begun.is_set()
    work.release(3)
    sights = list(jobs.drive(job))
    assert [s.moment for s in sights if s.news] == [1, 2, 3]
    assert sights[-1].state == "done"
    gone = Work([1, 2])
    job = jobs.submit(ANNE, "run", gone)
    gone.release()
    driving = jobs.drive(job)
    next(driving)
    driving.close()
    assert gone.closed.is_set() and job.state == "left" and not jobs._running


@pytest.mark.parametrize("inline", [False, True])
def test_an_event_shows_a_job_or_what_came_instead_of_one(inline):
    jobs = JobManager(inline=inline)

    def ask(what: str):
        """A docstring that the API shows."""
        return (
            jobs.submit(ANNE, "run", lambda: (letter for letter in "ab")) if what == "job" else what
        )

    handler = as_event(jobs, ask, lambda job, sight: (sight.state, sight.moment))

    def told(what):
        if inline:
            return list(handler(what))

        async def collect():
            return [shown async for shown in handler(what)]

        return aside.run(collect())

    assert told("job")[-1] == ("done", "b")
    assert told("a sentence") == ["a sentence"]
    assert handler.__doc__ == ask.__doc__


@pytest.mark.parametrize("text", ["", "a" * 31, "a" * 65, "a" * 31 + "é", "a" * 40 + "\n", 7, None])
def test_a_token_is_long_and_plain(text):
    assert not is_token(text)
    with pytest.raises(ValueError, match="unguessable"):
        JobManager().submit(text, "run", Work())


def test_the_last_of_an_owners_jobs_is_the_one_submitted_last():
    jobs, mine, other = JobManager(inline=True), "a" * 43, "b" * 43
    for owner, place in ((mine, "run"), (mine, "sweep"), (mine, "run"), (other, "sweep")):
        jobs.submit(owner, place, lambda: iter(()))
    assert jobs.last(mine, ("run", "sweep")) is jobs.find(mine, "run")
    assert jobs.last(mine, ("sweep", "paths")) is jobs.find(mine, "sweep")
    assert jobs.last(mine, ("paths",)) is None
    assert jobs.last("guess", ("run",)) is None
