"""How far readings agree, and how several become one."""
