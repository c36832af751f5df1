package render
import ("testing";"context")
func BenchmarkZZ(b *testing.B){ o:=Options{Root:"/tmp/peers/tree",CacheDir:b.TempDir()}
 RenderAll(context.Background(),o,[]string{"dev","int","web"})
 for b.Loop(){ all,_:=RenderAll(context.Background(),o,[]string{"dev","int","web"}); for _,c:=range all { Write(o.Root,c)} } }
