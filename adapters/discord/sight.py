"""Who sees a channel, as far as roles and overwrites tell (pure).

A grant is what lets somebody see a channel: a role, or an overwrite for one member. Everyone who sees a channel holds one of
its `viewers`; everyone who holds one of those it is `certain` for sees it, whatever else they hold. So all who see one channel
see another one if the viewers of the first are among those that the other one is certain for. Whoever owns or administers the
guild sees everything, and need not be looked at.

Permissions are computed as Discord's documentation has it: topics/permissions, "Permission Overwrites".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

VIEW, HISTORY, CONNECT, ADMINISTRATOR = 1 << 10, 1 << 16, 1 << 20, 1 << 3

Grant = str
"""The id of a role, or `u:` and that of a member."""


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies a role or a member."""

    grant: Grant
    allow: int
    deny: int

    @property
    def of_member(self) -> bool:
        return self.grant.startswith("u:")


@dataclass(frozen=True)
class Rights:
    """What decides who sees a channel: the permissions of the roles, `everyone` among them, and the overwrites.

    `needed` are the permissions that it takes to read it.
    """

    everyone: Grant
    roles: Mapping[Grant, int]
    overwrites: tuple[Overwrite, ...] = ()
    needed: int = VIEW | HISTORY

    @property
    def viewers(self) -> frozenset[Grant]:
        """Return grants of which everyone who sees the channel holds at least one."""
        base = self._of(self.everyone)
        allowed = {one.grant for one in self.overwrites if one.allow & VIEW}
        if not base.deny & VIEW:
            allowed |= {role for role, permissions in self.roles.items() if permissions & VIEW}
        return frozenset({self.everyone} if self.everyone in allowed else allowed)

    @property
    def certain(self) -> frozenset[Grant]:
        """Return the grants whose holders certainly see the channel."""
        members = {one.grant for one in self.overwrites if one.of_member and self.needed & ~one.allow == 0}
        roles = {role for role, permissions in self.roles.items() if permissions & ADMINISTRATOR}
        if not any(one.of_member and one.deny & self.needed for one in self.overwrites):
            roles |= {role for role in self.roles if all(self._is_certain(role, bit) for bit in _bits(self.needed))}
        return frozenset(members | roles)

    @property
    def public(self) -> bool:
        """Say whether every member of the guild sees the channel."""
        return self.everyone in self.certain

    def _is_certain(self, role: Grant, bit: int) -> bool:
        """Say whether whoever holds a role has a permission; what a member is denied by name is not looked at."""
        base = self._of(self.everyone)
        if role != self.everyone and self._of(role).allow & bit:
            return True  # what one role is allowed outweighs what another one is denied
        held = (self.roles.get(role, 0) | self.roles.get(self.everyone, 0)) & bit
        return not self._denied & bit and bool(base.allow & bit or (held and not base.deny & bit))

    @cached_property
    def _denied(self) -> int:
        """What any role but that of everyone is denied."""
        denying = (one.deny for one in self.overwrites if one.grant != self.everyone and not one.of_member)
        return reduce(or_, denying, 0)

    @cached_property
    def _by_grant(self) -> Mapping[Grant, Overwrite]:
        return {one.grant: one for one in self.overwrites}

    def _of(self, grant: Grant) -> Overwrite:
        return self._by_grant.get(grant) or Overwrite(grant, 0, 0)


def _bits(permissions: int) -> Iterable[int]:
    return (1 << n for n in range(permissions.bit_length()) if permissions >> n & 1)
