/*
 * curl_result.h - the end of a hop: its figures, and what libcurl's result means in the terms of
 * the error table.
 */
#ifndef TRANSFER_CURL_RESULT_H
#define TRANSFER_CURL_RESULT_H

#include "fetch/fetch.h"

#include <curl/curl.h>

/* What a CURLcode means. */
enum error curl_result_error(CURLcode code);

/* The hop is over: read the figures off the handle, and set f->failure where it failed. */
void curl_result_apply(struct curlew_fetch *f, CURLcode result);

/* The connection and the times of the hop, as far as they are known, into the response. */
void curl_result_read_timing(struct curlew_fetch *f);

#endif
