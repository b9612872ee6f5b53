// SPDX-License-Identifier: BSD-2-Clause
// The fast paths once more, for a machine with several cores: on one core their conditions cost
// nothing.
#define SEVERAL_CORES true
#define fastpath_call fastpath_cores_call
#define fastpath_reply_recv fastpath_cores_reply_recv
#define fastpath_send fastpath_cores_send
#define fastpath_exception fastpath_cores_exception

#include <entry/fastpath.c>
