/*
 * python_symbols.c - the Python functions that curl_cffi's extension needs, for a process without
 * Python.
 *
 * Preloaded before that extension, whose libcurl the daemon then uses.  None is ever called: they
 * serve the extension's own module only.
 */
#include <stdlib.h>

char _Py_NoneStruct[64];

#define ABSENT(name) \
    void name(void); \
    void name(void)  \
    {                \
        abort();     \
    }

ABSENT(PyArg_UnpackTuple)
ABSENT(PyErr_Occurred)
ABSENT(PyEval_RestoreThread)
ABSENT(PyEval_SaveThread)
ABSENT(PyImport_ImportModule)
ABSENT(PyLong_FromLong)
ABSENT(PyLong_FromVoidPtr)
ABSENT(PyObject_CallMethod)
ABSENT(PyObject_Free)
ABSENT(PyObject_Malloc)
ABSENT(_Py_Dealloc)
