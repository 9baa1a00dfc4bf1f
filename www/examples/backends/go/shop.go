// A shop's backend in Go, with the standard library alone. It creates an order, and learns from a signed webhook
// that the order is paid.
//
//	KEY=… WEBHOOK_SECRET=whsec_… go run shop.go
//
// Then open http://127.0.0.1:8001/ . MERCHANT_SERVER and PORT name other addresses.
// SHOP in a comment marks a part that a real shop replaces with its own. Go 1.19 or newer.
package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	merchantServer = variable("MERCHANT_SERVER", "http://127.0.0.1:8080")
	key            = variable("KEY", "")
	secret         = decoded(variable("WEBHOOK_SECRET", ""))
	page           = read("../../html/index.html")

	mutex sync.Mutex
	// SHOP: your table of orders. It has for each order number whether the order is paid.
	orders = map[string]bool{}
)

func main() {
	http.HandleFunc("/", serveShop)
	http.HandleFunc("/webhooks", serveWebhooks)
	address := "127.0.0.1:" + variable("PORT", "8001")
	fmt.Printf("http://%s/\n", address)
	log.Fatal(http.ListenAndServe(address, nil))
}

// createOrder creates an order. Its price comes from the shop and never from a browser.
func createOrder() (orderNo, token string, err error) {
	orderNo = "GO-" + randomHex(8)
	body := fmt.Sprintf(`{"order_no": %q, "total_fen": 6910, "description": "云南小粒咖啡"}`, orderNo)
	request, err := http.NewRequest("POST", merchantServer+"/v1/orders", strings.NewReader(body))
	if err != nil {
		return "", "", err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return "", "", errors.New(response.Status)
	}
	var order struct{ Token string }
	err = json.NewDecoder(response.Body).Decode(&order)
	mutex.Lock()
	defer mutex.Unlock()
	orders[orderNo] = false
	return orderNo, order.Token, err
}

// verify checks that the merchant server signed these bytes within the last minutes (Standard Webhooks).
func verify(header http.Header, body []byte) error {
	timestamp := header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("the timestamp is more than five minutes off")
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", header.Get("webhook-id"), timestamp, body)
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	// While a secret is changed, there are two signatures, with a blank between them.
	for _, given := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(given), []byte(signature)) {
			return nil
		}
	}
	return errors.New("the signature is wrong")
}

// receive takes a message of the merchant server's. It needs the raw body: a signature covers its bytes.
func receive(header http.Header, body []byte) error {
	if err := verify(header, body); err != nil {
		return err
	}
	var message struct {
		Type string
		Data struct {
			OrderNo string `json:"order_no"`
		}
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return err
	}
	mutex.Lock()
	defer mutex.Unlock()
	// A message can come twice, and an order is delivered once.
	paid, known := orders[message.Data.OrderNo]
	if message.Type == "payment.succeeded" && known && !paid {
		orders[message.Data.OrderNo] = true // SHOP: deliver the order here.
	}
	return nil
}


func serveWebhooks(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err == nil {
		err = receive(request.Header, body)
	}
	if err != nil {
		http.Error(response, err.Error(), http.StatusUnauthorized)
		return
	}
	response.WriteHeader(http.StatusNoContent)
}

func serveShop(response http.ResponseWriter, request *http.Request) {
	orderNo := strings.TrimPrefix(request.URL.Path, "/orders/")
	mutex.Lock()
	paid, known := orders[orderNo]
	mutex.Unlock()
	switch route := request.Method + " " + request.URL.Path; {
	case route == "GET /" || route == "POST /orders":
		orderNo, token, err := createOrder()
		if err != nil {
			log.Print(err)
			answer(response, http.StatusBadGateway, map[string]any{"error": "the order could not be created"})
		} else if route == "GET /" {
			// SHOP: your own page. Here each visit creates an order.
			filled := strings.NewReplacer("TOKEN", token, "https://pay.shop.example", merchantServer)
			response.Header().Set("Content-Type", "text/html; charset=utf-8")
			response.Header().Set("Cache-Control", "no-store")
			filled.WriteString(response, page)
		} else {
			answer(response, http.StatusCreated, map[string]any{
				"order_no": orderNo, "token": token, "merchant_api": merchantServer + "/v1",
			})
		}
	case request.Method == "GET" && known:
		answer(response, http.StatusOK, map[string]any{"order_no": orderNo, "paid": paid})
	default:
		answer(response, http.StatusNotFound, map[string]any{"error": "no such page"})
	}
}

func answer(response http.ResponseWriter, status int, fields map[string]any) {
	response.Header().Set("Content-Type", "application/json")
	response.Header().Set("Cache-Control", "no-store")
	response.WriteHeader(status)
	json.NewEncoder(response).Encode(fields)
}

// variable reads a variable of the environment. Without a default the variable is required.
func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	if otherwise == "" {
		log.Fatal(name + " is not set")
	}
	return otherwise
}

func decoded(secret string) []byte {
	bytes, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		log.Fatal("WEBHOOK_SECRET is not whsec_ and base64")
	}
	return bytes
}

func read(file string) string {
	bytes, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	return string(bytes)
}

func randomHex(length int) string {
	bytes := make([]byte, length)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	return hex.EncodeToString(bytes)
}
