"""Agents of Orbital Twin: satellites, ground sites, instances, a controller, a dispatcher."""
