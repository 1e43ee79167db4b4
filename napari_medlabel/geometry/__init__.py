"""Where voxels are: axes, affines and grids; numpy only."""
