// SPDX-License-Identifier: BSD-2-Clause
// Error codes under their official names.
#pragma once

#include <abi/error.h>

typedef enum {
	seL4_NoError = ERROR_NONE,
	seL4_InvalidArgument = ERROR_INVALID_ARGUMENT,
	seL4_InvalidCapability = ERROR_INVALID_CAPABILITY,
	seL4_IllegalOperation = ERROR_ILLEGAL_OPERATION,
	seL4_RangeError = ERROR_RANGE,
	seL4_AlignmentError = ERROR_ALIGNMENT,
	seL4_FailedLookup = ERROR_FAILED_LOOKUP,
	seL4_TruncatedMessage = ERROR_TRUNCATED_MESSAGE,
	seL4_DeleteFirst = ERROR_DELETE_FIRST,
	seL4_RevokeFirst = ERROR_REVOKE_FIRST,
	seL4_NotEnoughMemory = ERROR_NOT_ENOUGH_MEMORY,
	seL4_NumErrors = 11,
} seL4_Error;

typedef enum {
	seL4_NoFailure = 0,
	seL4_InvalidRoot = LOOKUP_INVALID_ROOT,
	seL4_MissingCapability = LOOKUP_MISSING_CAPABILITY,
	seL4_DepthMismatch = LOOKUP_DEPTH_MISMATCH,
	seL4_GuardMismatch = LOOKUP_GUARD_MISMATCH,
	seL4_NumLookupFailureTypes = 5,
} seL4_LookupFailureType;
