"""Plug-ins: Python files and modules that add strategies, outage models and more to the twin.

A plug-in registers what it has by one door::

    from twin.plugins import register

    @register.strategy("mine")
    def mine(problem, *, rng): ...

Users name plug-ins by ``--plugin``, in a study's ``plugins`` or in `twin.load_plugins`. Installed
packages name theirs under the entry-point group ``orbital_twin.plugins``.
"""

from twin.plugins.door import register
from twin.plugins.loading import load_plugins

__all__ = ["load_plugins", "register"]
