/* empty: the least that a FastCGI program can do; what ours are compared with. */
#include <fcgiapp.h>

int
main(void)
{
	FCGX_Request request;

	FCGX_Init();
	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutS("Content-Type: text/xml; charset=utf-8\r\nContent-Length: 27\r\n\r\n<keepmealive status=\"0\" />\n", request.out);
		FCGX_Finish_r(&request);
	}
	return 0;
}
