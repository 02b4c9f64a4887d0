"""A gymnasium environment of the twin, for those who learn policies (extra ``[gym]``)."""

from twin.errors import InputError

try:
    import gymnasium
except ModuleNotFoundError as missing:
    if missing.name != "gymnasium":
        raise
    raise InputError("twin.gym needs gymnasium: pip install 'orbital-twin[gym]'") from None

from twin.gym.commands import LEVELS, Verb
from twin.gym.env import TwinEnv

__all__ = ["ID", "LEVELS", "TwinEnv", "Verb"]

ID = "orbital-twin/Twin-v0"
"""Name of the environment: ``gymnasium.make("twin.gym:orbital-twin/Twin-v0", scenario="small")``"""

if ID not in gymnasium.registry:
    gymnasium.register(ID, entry_point="twin.gym.env:TwinEnv")
