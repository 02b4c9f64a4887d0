"""The ring of layers once more, as SimPy processes: an oracle that shares no code with ours."""

from collections import defaultdict, deque

import simpy


class Satellite:
    """Serves all that waits for the part that has waited longest, one service at a time."""

    def __init__(self, env, work_s):
        self.env, self.work_s = env, work_s
        self.waiting, self.parts = defaultdict(list), deque()
        self.called = env.event()
        env.process(self.serve())

    def ask(self, part, tokens):
        done = self.env.event()
        if not self.waiting[part]:
            self.parts.append(part)
        self.waiting[part].append((tokens, done))
        if not self.called.triggered:
            self.called.succeed()
        return done

    def serve(self):
        while True:
            if not self.parts:
                self.called = self.env.event()
                yield self.called
            part = self.parts.popleft()
            jobs, self.waiting[part] = self.waiting[part], []
            yield self.env.timeout(self.work_s(part, sum(tokens for tokens, _ in jobs)))
            for _, done in jobs:
                done.succeed()
            yield self.env.timeout(0)  # what goes on here at once comes before the next choice


class Links:
    """Directed links that are crossed one after the other, first come, first served."""

    def __init__(self, env, ways, token_s):
        self.env, self.ways, self.token_s = env, ways, token_s
        self.links = defaultdict(lambda: simpy.Resource(env))

    def cross(self, leg, tokens):
        for link, delay_s in self.ways[leg]:
            with self.links[link].request() as turn:
                yield turn
                yield self.env.timeout(tokens * self.token_s)
            yield self.env.timeout(delay_s)


def run(at_s, output, *, layers, satellite_of, work_s, chosen, ways, token_s=0.0):
    """Serve requests of one prompt token; returns when each made its last token.

    Parameters
    ----------
    at_s, output : (R,) float, (R,) int
        When requests come, and how many tokens they make.
    layers : int
    satellite_of : dict
        Of each part: ``("gateway", l)``, ``("expert", l, e)`` and ``("head",)``.
    work_s : callable
        Of a part and a number of tokens.
    chosen : callable
        Experts of a request's token at a layer.
    ways : dict
        Links and their delays of each leg, ``("out", l, e)`` from the gateway to an expert, and
        ``("on", l, e)`` from there to the next gateway.
    token_s : float
        Time to put a token on a link.
    """
    env = simpy.Environment()
    satellites = {name: Satellite(env, work_s) for name in set(satellite_of.values())}
    links = Links(env, ways, token_s)
    ends = [None] * len(at_s)

    def expert(layer, e):
        yield from links.cross(("out", layer, e), 1)
        yield satellites[satellite_of["expert", layer, e]].ask(("expert", layer, e), 1)
        yield from links.cross(("on", layer, e), 1)

    def request(number):
        yield env.timeout(at_s[number])
        for token in range(output[number]):
            for layer in range(layers):
                part = ("gateway", layer)
                yield satellites[satellite_of[part]].ask(part, 1)
                experts = chosen(number, token, layer)
                yield env.all_of([env.process(expert(layer, e)) for e in experts])
            yield satellites[satellite_of["head",]].ask(("head",), 1)
        ends[number] = env.now

    for number in range(len(at_s)):
        env.process(request(number))
    env.run()
    return ends
