"""How much may be sent to whom."""

from __future__ import annotations

from plugins.webhooks.delivery.lanes import Lanes


def lanes(most: int = 100) -> Lanes:
    return Lanes(most=most, pauses_s=(5.0, 30.0, 120.0))


def counts(found: dict[str, tuple[int, int]]) -> dict[str, int]:
    return {endpoint: count for endpoint, (count, _) in found.items()}


def succeed(of: Lanes, endpoint: str, times: int) -> None:
    for _ in range(times):
        doubtful = of.began(endpoint, 0.0, None)
        of.ended(endpoint, 0.0, doubtful=doubtful, well=True)


def fail(of: Lanes, endpoint: str, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        doubtful = of.began(endpoint, now, None)
        of.ended(endpoint, now, doubtful=doubtful, well=False)


def test_an_endpoint_begins_with_one_slot_and_earns_more():
    found = lanes()
    found.due(["a"])

    seen = [counts(found.wishes(0.0, 100))]
    for _ in range(4):
        succeed(found, "a", 1)
        seen.append(counts(found.wishes(0.0, 100)))

    assert seen == [{"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}, {"a": 4}]


def test_what_is_under_way_takes_slots():
    found = lanes()
    found.due(["a"])
    succeed(found, "a", 3)
    for _ in range(3):
        found.began("a", 0.0, None)
    one = counts(found.wishes(0.0, 100))
    found.began("a", 0.0, None)

    assert (one, counts(found.wishes(0.0, 100))) == ({"a": 1}, {})


def test_endpoints_take_turns():
    found = lanes()
    found.due(["a", "b", "c"])

    assert [list(found.wishes(0.0, 2)) for _ in range(3)] == [["a", "b"], ["c", "a"], ["b", "c"]]


def test_there_is_an_end_to_all_of_them_together():
    found = lanes(most=2)
    found.due(["a", "b", "c"])
    found.began("a", 0.0, None)

    assert counts(found.wishes(0.0, 100)) == {"b": 1}


def test_where_it_gets_narrow_nobody_has_more_than_one():
    found = lanes(most=8)
    found.due(["a", "b"])
    succeed(found, "a", 3)
    for _ in range(4):
        found.began("b", 0.0, None)

    assert counts(found.wishes(0.0, 100)) == {"a": 1}


def test_endpoints_that_failed_have_half_of_all_slots():
    found = lanes(most=4)
    for each in "abcd":
        fail(found, each, 1)
    found.due("abcd")
    for each in "ab":
        found.began(each, 0.0, None)

    assert counts(found.wishes(0.0, 100)) == {}
    found.due(["new"])
    assert counts(found.wishes(0.0, 100)) == {"new": 1}


def test_no_tenant_has_more_than_a_quarter_of_all_slots():
    found = lanes(most=8)
    found.due("abcd")
    for each in "abc":
        found.owned(each, "ten_a")
    found.owned("d", "ten_d")

    first = counts(found.wishes(0.0, 100))
    for each in first:
        found.began(each, 0.0, None, "ten_d" if each == "d" else "ten_a")
    full = counts(found.wishes(0.0, 100))
    found.ended("a", 0.0, doubtful=False, well=None)

    assert (first, full, counts(found.wishes(0.0, 100))) == ({"a": 1, "b": 1, "d": 1}, {}, {"c": 1})


def theirs(most: int, endpoints: list[str], tenant: str = "ten_a") -> Lanes:
    """Lanes on which something waits for endpoints of a tenant that all have earned four slots."""
    found = lanes(most)
    found.due(endpoints)
    for endpoint in endpoints:
        succeed(found, endpoint, 3)
        found.owned(endpoint, tenant)
    return found


def begin(of: Lanes, endpoints: dict[str, int], tenant: str = "ten_a") -> list[tuple[str, bool]]:
    return [(each, of.began(each, 0.0, None, tenant)) for each, count in endpoints.items() for _ in range(count)]


def test_of_a_tenants_slots_its_endpoints_that_failed_have_half():
    broken, well = [f"broken{n}" for n in range(160)], [f"well{n}" for n in range(160)]
    found = theirs(480, broken)
    for each in broken:
        for flown, doubtful in begin(found, {each: 1}):
            found.ended(flown, 0.0, doubtful=doubtful, well=False)
    found.due(broken)

    first = counts(found.wishes(0.0, 480))
    flying = begin(found, first)
    full = counts(found.wishes(0.0, 480))
    found.due(well)
    for each in well:
        found.owned(each, "ten_a")
    beside = counts(found.wishes(0.0, 480))
    for each, doubtful in flying[:10]:
        found.ended(each, 0.0, doubtful=doubtful, well=None)
    after = [each for each in counts(found.wishes(0.0, 480)) if each in broken]

    assert (len(first), set(first.values()), full) == (60, {1}, {})
    assert beside == dict.fromkeys(well[:60], 1)
    assert (found.doubtful, found.doubtful_of["ten_a"], len(after)) == (50, 50, 10)


def test_another_tenants_endpoints_that_failed_have_their_own_half():
    found = theirs(480, [])
    for tenant in ("ten_a", "ten_b"):
        for each in [f"{tenant}{n}" for n in range(100)]:
            [(_, doubtful)] = begin(found, {each: 1}, tenant)
            found.ended(each, 0.0, doubtful=doubtful, well=False)
            found.due([each])

    wished = counts(found.wishes(0.0, 480))

    assert [sum(each.startswith(tenant) for each in wished) for tenant in ("ten_a", "ten_b")] == [60, 60]


def test_where_it_gets_narrow_for_a_tenant_none_of_its_endpoints_has_more_than_one():
    found = theirs(480, [f"hook{n}" for n in range(200)])

    wished = list(counts(found.wishes(0.0, 480)).values())

    assert (wished[:15], wished[15:], sum(wished)) == ([4] * 15, [1] * 60, 120)


def test_a_failure_takes_back_the_slots():
    found = lanes()
    found.due(["a"])
    succeed(found, "a", 4)
    fail(found, "a", 1)

    assert counts(found.wishes(0.0, 100)) == {"a": 1}


def test_five_failures_in_a_row_open_the_breaker_for_longer_each_time():
    found = lanes()
    found.due(["a"])
    fail(found, "a", 4)
    before = counts(found.wishes(0.0, 100))
    fail(found, "a", 1)
    during = counts(found.wishes(4.9, 100))
    after = counts(found.wishes(5.0, 100))
    fail(found, "a", 1, now=5.0)

    assert (before, during, after) == ({"a": 1}, {}, {"a": 1})
    assert (counts(found.wishes(34.9, 100)), found.next_at()) == ({}, 35.0)
    assert counts(found.wishes(35.0, 100)) == {"a": 1}
    fail(found, "a", 20, now=35.0)
    assert (counts(found.wishes(94.9, 100)), counts(found.wishes(95.0, 100))) == ({}, {"a": 1})


def test_a_success_closes_the_breaker():
    found = lanes()
    found.due(["a"])
    fail(found, "a", 9)
    succeed(found, "a", 1)

    assert counts(found.wishes(0.0, 100)) == {"a": 2}


def test_a_rate_spaces_attempts():
    found = lanes()
    found.due(["a"])
    began = []
    for tick in range(257):
        now = tick / 128
        if found.wishes(now, 100):
            doubtful = found.began("a", now, 4.0)
            found.ended("a", now, doubtful=doubtful, well=True)
            began.append(now)

    assert began == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]


def test_a_high_rate_lets_a_few_begin_at_once():
    found = lanes()
    found.due(["a"])
    succeed(found, "a", 4)
    total = 0
    for tick in range(101):
        for count, _ in found.wishes(tick / 100, 100).values():
            for _ in range(count):
                found.ended("a", tick / 100, doubtful=found.began("a", tick / 100, 200.0), well=True)
                total += 1

    assert 190 <= total <= 210


def test_a_claim_that_found_less_than_it_wished_ends_the_wish_unless_there_was_news():
    found = lanes()
    found.due(["a"])
    [(_, news)] = found.wishes(0.0, 100).values()
    found.due(["a"])
    found.nothing_left("a", news, 0.0)
    still = counts(found.wishes(0.0, 100))
    found.nothing_left("a", news + 1, 0.0)

    assert (still, counts(found.wishes(0.0, 100)), len(found)) == ({"a": 1}, {}, 0)


def test_an_alarm_rings_once_and_the_earliest_counts():
    found = lanes()
    found.due_at("a", 10.0)
    found.due_at("a", 5.0)
    found.due_at("a", 20.0)

    assert (found.next_at(), counts(found.wishes(4.9, 100))) == (5.0, {})
    assert (counts(found.wishes(5.0, 100)), found.next_at()) == ({"a": 1}, None)


def test_what_is_idle_is_forgotten_but_not_that_it_failed_nor_its_rate():
    found = lanes()
    succeed(found, "well", 1)
    fail(found, "failed", 1)
    found.ended("slow", 0.0, doubtful=found.began("slow", 0.0, 0.1), well=True)
    remembered = len(found)
    found.disabled("failed")

    assert (remembered, len(found), found.flying, found.doubtful) == (2, 1, 0, 0)
