"""Reading and encoding by workers in other processes and on other machines, handed out by Dask's scheduler. The only package that imports distributed."""
