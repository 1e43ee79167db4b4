"""How a line gets onto the disk, signed, before the action that it is about goes on."""
