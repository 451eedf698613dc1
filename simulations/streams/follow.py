"""The body of a stream: what a source gives, paced, with heartbeats, until the run is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from simulations.streams import frames
from simulations.streams.cursor import Cursor
from simulations.streams.hub import Hub
from simulations.streams.look import Look, Run
from simulations.streams.pace import DEFAULT_LIMITS, Limits, Pace
from simulations.streams.sources import Source, done


async def follow(
    hub: Hub, run: Run, source: Source, cursor: Cursor, limits: Limits = DEFAULT_LIMITS
) -> AsyncIterator[bytes]:
    """Yield frames from `cursor` on, until the run is over and all of it is sent.

    The response also ends, without `done`, when the limits are reached or the poller failed: the
    client connects again and goes on from the last id.
    """
    clock = asyncio.get_running_loop().time
    pace = Pace(limits, clock())
    beat_at = clock() + limits.heartbeat_s
    yield frames.OPENING
    exhausted: Look | None = None
    with hub.watch(run) as watch:
        while not pace.is_spent and not watch.is_lost:
            look, changed = watch.look, watch.changed
            if look is not exhausted:
                data, cursor, has_more = await watch.frame(source, cursor, look)
                exhausted = None if has_more else look
                if data:
                    yield data
                    await pace.wait(len(data), clock)
            elif look.is_over:
                yield done(cursor)
                return
            else:
                await watch.next_change(changed, source, cursor)
            if clock() >= beat_at:
                yield frames.HEARTBEAT
                beat_at = clock() + limits.heartbeat_s
