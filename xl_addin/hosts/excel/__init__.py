"""rebalancer.xlsm from source: the VBA project, the ribbon, the cells, put together on any system."""
