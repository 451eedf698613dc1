"""The body of a stream: what a source gives, paced, with heartbeats, until the run is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from simulations.streams import frames
from simulations.streams.cursor import Cursor
from simulations.streams.hub import Hub
from simulations.streams.look import Run
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
    with hub.watch(run) as watch:
        while not pace.is_spent and not watch.is_lost:
            look, changed = watch.look, watch.changed
            frame, cursor = await watch.frame(source, cursor, look)
            if frame:
                yield frame
                delay_s = pace.delay_s(len(frame), clock())
                if delay_s > 0:
                    await asyncio.sleep(delay_s)
            elif look.is_over:
                yield done(cursor)
                return
            else:
                await changed.wait()
            if clock() >= beat_at:
                yield frames.HEARTBEAT
                beat_at = clock() + limits.heartbeat_s
