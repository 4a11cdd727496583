// fetch3 URL: print what URL answers over HTTP/3.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/lucas-clemente/quic-go/http3"
)

func trustLab() *x509.CertPool {
	pem, err := os.ReadFile(os.Getenv("LAB_CERT"))
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func main() {
	client := http.Client{Transport: &http3.RoundTripper{TLSClientConfig: &tls.Config{RootCAs: trustLab()}}}
	answer, err := client.Get(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		log.Fatal(err)
	}
}
