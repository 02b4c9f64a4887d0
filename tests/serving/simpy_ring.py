"""The ring of layers once more, as SimPy processes: an oracle that shares no code with ours."""

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from math import inf

import simpy


class Satellite:
    """Serves what waits for the part that has waited longest, one service at a time."""

    def __init__(self, env, work_s, most_tokens):
        self.env, self.work_s, self.most_tokens = env, work_s, most_tokens
        self.waiting, self.parts = defaultdict(deque), []
        self.called = env.event()
        env.process(self.serve())

    def ask(self, part, tokens, position=0):
        done = self.env.event()
        if not self.waiting[part]:
            self.parts.append(part)
        self.waiting[part].append((self.env.now, tokens, position, done))
        if not self.called.triggered:
            self.called.succeed()
        return done

    def take(self):
        """The oldest part, and its oldest jobs as far as they are served together."""
        part = self.parts.pop(0)
        waiting = self.waiting[part]
        jobs = [waiting.popleft()]
        tokens = jobs[0][1]
        while waiting and tokens + waiting[0][1] <= self.most_tokens:
            jobs.append(waiting.popleft())
            tokens += jobs[-1][1]
        if waiting:
            at = bisect_right(self.parts, waiting[0][0], key=lambda p: self.waiting[p][0][0])
            self.parts.insert(at, part)
        return part, jobs

    def serve(self):
        while True:
            if not self.parts:
                self.called = self.env.event()
                yield self.called
            part, jobs = self.take()
            work_s = self.work_s(part, [(tokens, position) for _, tokens, position, _ in jobs])
            yield self.env.timeout(work_s)
            for *_, done in jobs:
                done.succeed()
            yield self.env.timeout(0)  # what goes on here at once comes before the next choice


class Links:
    """Directed links that are crossed one after the other, first come, first served.

    Fewer than `waiting_tokens` cut through: they wait for nobody, and nobody waits for them.
    """

    def __init__(self, env, ways, token_s, waiting_tokens):
        self.env, self.ways, self.token_s = env, ways, token_s
        self.waiting_tokens = waiting_tokens
        self.through_s = {leg: sum(delay_s for _, delay_s in way) for leg, way in ways.items()}
        self.links = defaultdict(lambda: simpy.Resource(env))

    def cross(self, leg, tokens):
        way = self.ways[leg]
        if way and tokens < self.waiting_tokens:
            yield self.env.timeout(self.through_s[leg] + tokens * self.token_s)
            return
        for link, delay_s in way:
            with self.links[link].request() as turn:
                yield turn
                yield self.env.timeout(tokens * self.token_s)
            yield self.env.timeout(delay_s)


class Memory:
    """Blocks of cache; none may be lacking here."""

    def __init__(self, blocks, block):
        self.free, self.block, self.held = blocks, block, Counter()

    def hold(self, number, tokens):
        more = -(-tokens // self.block) - self.held[number]
        self.held[number] += more
        self.free -= more
        assert self.free >= 0, "more cache than there is"

    def release(self, number):
        self.free += self.held.pop(number)


class Group:
    """Tokens of a request that travel together: a chunk of its prompt, or one token."""

    def __init__(self, number, first, tokens, ahead=None, there=None):
        self.number, self.first, self.tokens = number, first, tokens
        self.ahead, self.there = ahead, there


class Ring:
    """The ring and its requests; see `run`."""

    def __init__(self, at_s, output, *, layers, satellite_of, chosen, prompt, chunk, **parts):
        self.env = simpy.Environment()
        self.at_s, self.output, self.prompt = at_s, output, prompt
        self.layers, self.satellite_of, self.chosen = layers, satellite_of, chosen
        self.chunk = chunk
        self.satellites = {
            name: Satellite(self.env, parts["work_s"], parts["most_tokens"])
            for name in set(satellite_of.values())
        }
        self.links = Links(self.env, parts["ways"], parts["token_s"], parts["waiting_tokens"])
        self.memory = Memory(parts["blocks"], parts["block"])
        self.made, self.ends = [0] * len(at_s), [None] * len(at_s)
        for number in range(len(at_s)):
            self.env.process(self.request(number))

    def request(self, number):
        yield self.env.timeout(self.at_s[number])
        self.send(number, 0)

    def ask(self, part, tokens, position=0):
        return self.satellites[self.satellite_of[part]].ask(part, tokens, position)

    def send(self, number, first, ahead=None):
        """Put a request's next tokens into the queue of the first gateway, at once."""
        tokens, there = 1, None
        if first < self.prompt[number]:
            tokens = min(self.chunk, self.prompt[number] - first)
            there = [self.env.event() for _ in range(self.layers + 1)]
        self.memory.hold(number, first + tokens)
        group = Group(number, first, tokens, ahead, there)
        self.env.process(self.travel(group, self.ask(("gateway", 0), tokens, first)))

    def expert(self, layer, e, tokens, wanted):
        yield from self.links.cross(("out", layer, e), tokens)
        yield self.ask(("expert", layer, e), tokens)
        if wanted:
            yield from self.links.cross(("on", layer, e), tokens)

    def experts(self, group, layer, wanted):
        positions = range(group.first, group.first + group.tokens)
        counts = Counter(e for at in positions for e in self.chosen(group.number, at, layer))
        # Who shares a link is put on it in the order of experts.
        jobs = [self.expert(layer, e, counts[e], wanted) for e in sorted(counts)]
        return self.env.all_of([self.env.process(job) for job in jobs])

    def in_turn(self, group, layer):
        """Come to a gateway behind the chunk ahead."""
        if group.ahead is not None:
            yield group.ahead.there[layer]
        if group.there is not None:
            group.there[layer].succeed()

    def travel(self, group, asked):
        behind = group.first + group.tokens
        gives = behind >= self.prompt[group.number]
        for layer in range(self.layers):
            if layer:
                yield from self.in_turn(group, layer)
                asked = self.ask(("gateway", layer), group.tokens, group.first)
            yield asked
            if layer == 0 and not gives:
                self.send(group.number, behind, group)
            yield self.experts(group, layer, gives or layer + 1 < self.layers)
        yield from self.in_turn(group, self.layers)
        if gives:
            yield self.ask(("head",), 1)
            self.give(group.number, behind)

    def give(self, number, behind):
        self.made[number] += 1
        if self.made[number] < self.output[number]:
            self.send(number, behind)
        else:
            self.ends[number] = self.env.now
            self.memory.release(number)


def run(
    at_s,
    output,
    *,
    token_s=0.0,
    waiting_tokens=1,
    prompt=None,
    chunk=1,
    most_tokens=inf,
    blocks=inf,
    block=16,
    **ring,
):
    """Serve requests; returns when each made its last token.

    Parameters
    ----------
    at_s, output : (R,) float, (R,) int
        When requests come, and how many tokens they make.
    layers : int
    satellite_of : dict
        Of each part: ``("gateway", l)``, ``("expert", l, e)`` and ``("head",)``.
    work_s : callable
        Of a part and its jobs: tokens, and those of the request before them.
    chosen : callable
        Experts of a request's token at a layer.
    ways : dict
        Links and their delays of each leg, ``("out", l, e)`` from the gateway to an expert, and
        ``("on", l, e)`` from there to the next gateway.
    token_s : float
        Time to put a token on a link.
    waiting_tokens : int
        So many on their way together, and more, wait for links.
    prompt : (R,) int, optional
        Tokens of each prompt; one by default.
    chunk : int
        Tokens of a prompt that go together.
    most_tokens : int
        That a part serves together, if they come in several groups.
    blocks, block : int
        Of cache at every gateway, and the tokens of one.
    """
    made = Ring(
        at_s,
        output,
        token_s=token_s,
        waiting_tokens=waiting_tokens,
        prompt=[1] * len(at_s) if prompt is None else prompt,
        chunk=chunk,
        most_tokens=most_tokens,
        blocks=blocks,
        block=block,
        **ring,
    )
    made.env.run()
    return made.ends
