#ifndef CK_SHARED_ACTIVATION_H
#define CK_SHARED_ACTIVATION_H

#include "include/ck_activation.h"

/// The activation that changes nothing.
extern const ck_activation ck_no_activation;

/// True for one identity member with scales 1, and where z holds the activation already: what a consumer multiplies is
/// z itself.
bool ck_activation_reads_plain(const ck_activation *activation);

#endif
