// SPDX-License-Identifier: Apache-2.0
// TLS by OpenSSL. Chain and name are verified unless the options say otherwise; what went wrong is said in words an operator can act on.
#include "cql/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static int tls_refuse(struct weir_error *err, const char *what, const char *file)
{
    char why[160];
    unsigned long code = ERR_peek_last_error();
    ERR_error_string_n(code, why, sizeof why);
    const char *reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "cannot use the %s %s: %s", what, file, reason ? reason : why);
}

static int tls_trust(SSL_CTX *context, const struct cql_tls *tls, struct weir_error *err)
{
    if (tls->ca_file && SSL_CTX_load_verify_locations(context, tls->ca_file, NULL) != 1)
        return tls_refuse(err, "CA file", tls->ca_file);
    if (!tls->ca_file)
        SSL_CTX_set_default_verify_paths(context);
    return 0;
}

static int tls_identify(SSL_CTX *context, const struct cql_tls *tls, struct weir_error *err)
{
    if (!tls->cert_file)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1)
        return tls_refuse(err, "client certificate", tls->cert_file);
    const char *key = tls->key_file ? tls->key_file : tls->cert_file;
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(context) != 1)
        return tls_refuse(err, "client key", key);
    return 0;
}

int cql_tls_context(const struct cql_tls *tls, SSL_CTX **ret, struct weir_error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    weir_assert(context);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, tls->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (tls_trust(context, tls, err) < 0 || tls_identify(context, tls, err) < 0) {
        SSL_CTX_free(context);
        return -1;
    }
    *ret = context;
    return 0;
}

static bool is_ip(const char *name)
{
    struct sockaddr_storage ignored;
    return cql_address_parse(name, 0, &ignored) == 0;
}

int cql_tls_begin(struct connection *c, struct weir_error *err)
{
    const struct cql_tls *tls = &c->loop->session->options.tls;
    char address[46];
    cql_address_text(&c->address, address);
    const char *name = tls->server_name ? tls->server_name : address;
    c->tls = SSL_new(c->loop->session->tls);
    weir_assert(c->tls);
    SSL_set_connect_state(c->tls);
    X509_VERIFY_PARAM *verify = SSL_get0_param(c->tls);
    bool set = is_ip(name) ? X509_VERIFY_PARAM_set1_ip_asc(verify, name) == 1
                           : X509_VERIFY_PARAM_set1_host(verify, name, 0) == 1 && SSL_set_tlsext_host_name(c->tls, name) == 1;
    if (!set || SSL_set_fd(c->tls, c->fd) != 1)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: '%s' cannot be looked for in a certificate", c->peer, name);
    return 0;
}

static long tls_why(struct connection *c, struct weir_error *err)
{
    long verified = SSL_get_verify_result(c->tls);
    if (verified != X509_V_OK && c->phase == PHASE_TLS && !c->loop->session->options.tls.insecure)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: the node's certificate is refused: %s", c->peer,
                         X509_verify_cert_error_string(verified));
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    bool cut = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (reason && !cut && c->phase != PHASE_READY)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: TLS fails: %s", c->peer, reason);
    return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", c->peer, reason ? reason : "the node closed the connection");
}

long cql_tls_failed(struct connection *c, int result, struct weir_error *err)
{
    int kind = SSL_get_error(c->tls, result);
    if (kind == SSL_ERROR_WANT_READ)
        return 0;
    if (kind == SSL_ERROR_WANT_WRITE) {
        c->wants_write = true;
        return 0;
    }
    if (kind == SSL_ERROR_SYSCALL && errno && !ERR_peek_error())
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", c->peer, strerror(errno));
    else
        tls_why(c, err);
    ERR_clear_error();
    return -1;
}

int cql_tls_shake(struct connection *c, struct weir_error *err)
{
    ERR_clear_error();
    errno = 0;
    int done = SSL_do_handshake(c->tls);
    return done == 1 ? 1 : (int)cql_tls_failed(c, done, err);
}
