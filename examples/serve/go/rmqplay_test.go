// A RabbitMQ for each test, simulated by `rmqplay serve`: there in milliseconds, and a week passes at a word.
//
//	func TestLateOrders(t *testing.T) {
//		broker := serve(t)
//		connection, err := amqp.Dial(broker.URL)
//		...
//		broker.Advance("7d")
//	}
//
// RMQPLAY names the program, RMQPLAY_BROKER the version (sim:3.13). serve(t, "topologies/orders.yaml") begins with topologies.
package week

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Broker is a served broker; URL is for any AMQP client.
type Broker struct {
	URL     string
	control string
	t       testing.TB
}

type job struct {
	Job   int             `json:"job"`
	State string          `json:"state"`
	Owed  json.RawMessage `json:"owed"`
	Error string          `json:"error"`
}

// serve starts a broker that holds the topologies and nothing else; it ends with the test.
func serve(t testing.TB, topologies ...string) *Broker {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready.json")
	words := append([]string{"serve"}, topologies...)
	words = append(words, "--broker", setting("RMQPLAY_BROKER", "sim"), "--listen", "127.0.0.1:0", "--clock", "manual")
	command := exec.Command(setting("RMQPLAY", "rmqplay"), append(words, "--settle", "5ms", "--ready-file", ready, "--quiet")...)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		<-ended
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if text, err := os.ReadFile(ready); err == nil {
			var told struct {
				AMQP    []string `json:"amqp"`
				Control string   `json:"control"`
			}
			if err := json.Unmarshal(text, &told); err != nil {
				t.Fatal(err)
			}
			url := strings.Replace(told.AMQP[0], "amqp://", "amqp://guest:guest@", 1) + "/%2F"
			return &Broker{URL: url, control: told.Control, t: t}
		}
		select {
		case <-ended:
			t.Fatal("rmqplay serve does not come up")
		default:
		}
		if time.Now().After(end) {
			t.Fatal("rmqplay serve is not ready within 10 s")
		}
	}
}

// Advance lets time pass; it returns when all that happens until then is done, and fails when a client keeps a delivery.
func (b *Broker) Advance(by string) {
	b.t.Helper()
	body, _ := json.Marshal(map[string]string{"by": by})
	at := b.ask("/clock/advance", body)
	for at.State == "running" {
		time.Sleep(5 * time.Millisecond)
		at = b.ask(fmt.Sprintf("/clock/jobs/%d", at.Job), nil)
	}
	if at.State != "done" {
		b.t.Fatalf("the clock is stuck: %s", at.Owed)
	}
}

func (b *Broker) ask(path string, body []byte) (answer job) {
	b.t.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, b.control+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	// Whatever proxy the environment names is not for this machine.
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode >= 300 {
		b.t.Fatalf("%s: %s %s %v", path, response.Status, answer.Error, err)
	}
	return answer
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
