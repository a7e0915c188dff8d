"""The visitor's own selection of the landscape that is open: kept, changed, taken back, named.

Every change is kept at once, as a draft whose token stands in the link: a reload, a restarted
server and another screen find it, and nobody else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine, pool_of
from ila_core.mine.shelf import Shelf, checked
from jobs.shelves import (
    Draft,
    Step,
    is_token,
    new_token,
    read_draft,
    shelf_of,
    sweep,
    write_draft,
)

MOST_STEPS = 50
"""That can be taken back one after another; a draft on disk has the last alone."""


@dataclass(frozen=True)
class Hand:
    """What is settled, where it is kept, and what stood before."""

    mine: Mine
    shelf: Shelf
    at: str = ""
    """The token of the draft, or the name under which it stands saved as it is; empty while
    nothing is settled."""
    own: bool = False
    """Whether this session made the draft: only then it may write it."""
    steps: tuple[Step, ...] = ()
    """What was done, the latest last, each with what stood before."""

    @property
    def saved_as(self) -> str:
        """The name under which it stands saved as it is; empty where it does not."""
        return "" if is_token(self.at) else self.at


def take_up(landscape: Landscape) -> None:
    """Find the visitor's own selection of a landscape: in this session, else where the link says.

    What cannot be found is told by the note "mine trouble", and it starts anew. Rules and quotas
    that a link names by themselves become the visitor's own.
    """
    shelf, known = shelf_of(landscape), session.recall("hand")
    moved = known is None or known.shelf != shelf or known.mine.pool != pool_of(landscape)
    if moved or known.at != session.view().mine:  # another landscape, or another link, as by Back
        found = _found(landscape, shelf, session.view().mine)
        session.remember("hand", found)
        session.change(mine=found.at)
    spec = session.view().spec
    if spec.only or spec.quotas:
        session.change(only=(), quotas=())
        after = now().mine
        for rule in spec.only:
            after = after.choose_only(rule)
        for quota in spec.quotas:
            after = after.ask(quota)
        settle(f"added {', '.join((*spec.only, *spec.quotas))}", after)


def _found(landscape: Landscape, shelf: Shelf, at: str) -> Hand:
    """Return what a link names on a shelf, a new one where it names nothing that can be read."""
    session.remember("mine trouble", None)
    try:
        if is_token(at):
            draft = read_draft(shelf, at, landscape)
            return Hand(draft.mine, shelf, at, steps=(draft.step,) if draft.step else ())
        if at:
            return Hand(shelf.read(at, landscape), shelf, at)
    except IlaError as error:
        session.remember("mine trouble", str(error))
    return Hand(Mine().of(landscape), shelf)


def now() -> Hand:
    """Return what `take_up` has found, and what became of it since."""
    found: Hand = session.recall("hand")
    return found


def settle(did: str, after: Mine) -> None:
    """Callback: one's own selection becomes `after`; `did` says in words what was done."""
    before = now()
    if after.content != before.mine.content:
        steps = (*before.steps, Step(did, before.mine))[-MOST_STEPS:]
        _keep(replace(before, mine=after, steps=steps))


def undo() -> None:
    """Callback: take back what was done last."""
    before = now()
    if before.steps:
        _keep(replace(before, mine=before.steps[-1].before, steps=before.steps[:-1]))


def _keep(hand: Hand) -> None:
    """Keep one's own selection as a draft of this session, and put it into the link."""
    if not hand.own:
        sweep(hand.shelf)
        hand = replace(hand, at=new_token(), own=True)
    _stand(hand)
    try:
        draft = Draft(hand.mine, hand.steps[-1] if hand.steps else None)
        write_draft(hand.shelf, hand.at, draft)
    except IlaError as error:
        session.remember("mine trouble", f"This is not kept over a reload: {error}")


def _stand(hand: Hand) -> None:
    session.remember("hand", hand)
    session.remember("mine trouble", None)
    session.change(mine=hand.at)


# -- under a name ---------------------------------------------------------------------------------


def save(name: str, *, over: bool = False) -> None:
    """Save it under a name; IlaError where that cannot be.

    `over` lets it take the place of one that has this name already.
    """
    hand = now()
    saved = hand.shelf.save(replace(hand.mine, name=checked(name)), new=not over)
    _stand(replace(hand, mine=saved, at=saved.name, own=False))


def open_named(name: str, landscape: Landscape) -> None:
    """Open the selection of a name in place of what is settled; IlaError if it cannot be read."""
    hand = now()
    found = hand.shelf.read(name, landscape)
    steps = (*hand.steps, Step(f"opened {name}", hand.mine))[-MOST_STEPS:]
    _stand(replace(hand, mine=found, at=name, own=False, steps=steps))


def delete_named(name: str) -> None:
    """Delete the selection of a name; if it is the one that is open, that goes on as a draft."""
    hand = now()
    hand.shelf.delete(name)
    if hand.mine.name == name:
        hand = replace(hand, mine=replace(hand.mine, name=""))
        _keep(replace(hand, own=hand.own and is_token(hand.at)))


# -- what a hand does -----------------------------------------------------------------------------


def pin(rows: Iterable[int]) -> None:
    """Callback: pin records; a second word on one replaces the first."""
    listed = list(rows)
    settle(f"pinned {counted(listed)}", now().mine.pin(listed))


def exclude(rows: Iterable[int]) -> None:
    """Callback: exclude records; a second word on one replaces the first."""
    listed = list(rows)
    settle(f"excluded {counted(listed)}", now().mine.exclude(listed))


def release(rows: Iterable[int]) -> None:
    """Callback: take back the word on records."""
    listed = list(rows)
    settle(f"freed {counted(listed)}", now().mine.release(listed))


def choose_only(rule: str) -> None:
    """Callback: choose only among records that a rule means."""
    settle(f"only {rule}", now().mine.choose_only(rule))


def ask(quota: str) -> None:
    """Callback: ask for a quota, in place of one on the same records."""
    settle(f"quota {quota}", now().mine.ask(quota))


def drop(*, rule: str = "", quota: str = "") -> None:
    """Callback: take a rule or a quota away."""
    mine = now().mine.without_rule(rule).without_quota(quota)
    settle(f"took {rule or quota} away", mine)


def clear() -> None:
    """Callback: settle nothing."""
    mine = now().mine
    settle("took everything back", replace(mine, pinned=(), excluded=(), only=(), quotas=()))


def counted(rows: Sequence[int]) -> str:
    """Return how many records they are, or which one.

    >>> counted([7]), counted([1, 2])
    ('row 7', '2 records')
    """
    return f"row {rows[0]}" if len(rows) == 1 else f"{len(rows):,} records"


# -- many at once ---------------------------------------------------------------------------------


def exclude_rows(rows: Iterable[int], why: str) -> None:
    """Callback: exclude records that nothing is settled of; `why` names them together."""
    mine = now().mine
    said = {*mine.pinned, *mine.excluded}
    new = [row for row in dict.fromkeys(map(int, rows)) if row not in said]
    settle(f"left out {len(new):,} of {why}", mine.exclude(new))
    noted = (*session.recall("left out", (), of=why), *new)
    session.remember("left out", tuple(dict.fromkeys(noted)), of=why)


def left_out(why: str, found: Iterable[int] = ()) -> tuple[int, ...]:
    """Return the rows that are excluded together under a name, those let in again aside.

    A session that has come back to its draft does not know the name: there it is all of `found`,
    the rows that would be excluded under it, where none of them can be chosen.
    """
    mine = now().mine
    never = set(mine.excluded)
    noted = tuple(row for row in session.recall("left out", (), of=why) if row in never)
    if noted:
        return noted
    would = set(map(int, found)).difference(mine.pinned)
    return tuple(sorted(would)) if would and would <= never else ()


def take_back(rows: Iterable[int], why: str) -> None:
    """Callback: let records be chosen again that were excluded together."""
    gone = tuple(rows)
    settle(f"let in {len(gone):,} of {why}", now().mine.release(gone))
